"""Reads TOML price lists: `prices.toml`, and a file of the user that overrides it."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._pricing import PriceList
from opentelemetry.exporter.mlflow._pricing._price_tables import (
    InvalidKeyError,
    check_keys,
    parse_period,
    parse_tool_price,
    parse_window,
    strings,
    table_value,
)
from opentelemetry.exporter.mlflow._pricing._tool_prices import ToolPrices

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from opentelemetry.exporter.mlflow._config import Setting
    from opentelemetry.exporter.mlflow._pricing import PeakWindow, PricePeriod
    from opentelemetry.exporter.mlflow._pricing._tool_prices import ToolPrice

_BUNDLED_FILE = files("opentelemetry.exporter.mlflow._pricing").joinpath("prices.toml")


def load_price_list(setting: Setting) -> PriceList:
    """Return the prices in this package, overridden by the file that `setting` names.

    Raises ValueError if the file cannot be read, or if it has an invalid value; the
    message names the line and the accepted values.
    """
    bundled = _PriceFile(_BUNDLED_FILE.read_text("utf-8"), "prices.toml")
    if setting.value is None:
        return PriceList(
            bundled.hosts,
            bundled.periods(bundled.windows),
            ToolPrices(bundled.tool_prices()),
        )
    path = Path(setting.value).expanduser()
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{setting.name} must be the path of a price list in the format of the "
            f"prices.toml in this package; got {setting.value!r}: {error}"
        ) from None
    custom = _PriceFile(text, f"{setting.name}: {path}")
    windows = bundled.windows | custom.windows
    return PriceList(
        [*bundled.hosts, *custom.hosts],
        bundled.periods(windows) | custom.periods(windows),
        ToolPrices(bundled.tool_prices() | custom.tool_prices()),
    )


class _PriceFile:
    """A parsed file. `name` is its name in error messages."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        try:
            document = tomllib.loads(text, parse_float=_parse_float)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        with self._add_line_to_errors(""):
            check_keys(document, "hosts", "prices", "tools", "windows")
            self.hosts = [host.lower() for host in strings(document, "hosts", [])]
            self._prices = table_value(
                document, "prices", list, "an array of tables, [[prices]]", []
            )
            self._tools = table_value(
                document, "tools", list, "an array of tables, [[tools]]", []
            )
            windows = table_value(
                document, "windows", dict, "tables, [windows.NAME]", {}
            )
        self.windows: dict[str, PeakWindow] = {}
        for key, table in windows.items():
            with self._add_line_to_errors(f"[windows.{key}]"):
                self.windows[key] = parse_window(table)

    def periods(
        self, windows: Mapping[str, PeakWindow]
    ) -> dict[str, list[PricePeriod]]:
        """Return the periods of each model. `windows` has the windows of all files."""
        periods: dict[str, list[PricePeriod]] = {}
        for index, table in enumerate(self._prices):
            with self._add_line_to_errors("[[prices]]", index):
                period = parse_period(table, windows)
                for model in strings(table, "models"):
                    others = periods.setdefault(model, [])
                    if any(period.overlaps(other) for other in others):
                        raise InvalidKeyError(
                            "models", f"{model} has another price in this period"
                        )
                    others.append(period)
        return periods

    def tool_prices(self) -> dict[str, list[ToolPrice]]:
        """Return the prices of each tool."""
        prices: dict[str, list[ToolPrice]] = {}
        for index, table in enumerate(self._tools):
            with self._add_line_to_errors("[[tools]]", index):
                price = parse_tool_price(table)
                for tool in strings(table, "tools"):
                    prices.setdefault(tool, []).append(price)
        return prices

    @contextmanager
    def _add_line_to_errors(self, header: str, index: int = 0) -> Generator[None]:
        """Raise ValueError with the line of an invalid key.

        The key is in the table below the header. `index` is that of the header among
        equal headers.
        """
        try:
            yield
        except InvalidKeyError as error:
            lines = [line.lstrip() for line in self._lines]
            headers = [n for n, text in enumerate(lines) if text.startswith(header)]
            start = headers[index] if index < len(headers) else 0
            line = start
            for n, text in enumerate(lines[start:], start):
                if n > start and text.startswith("["):
                    break
                if re.match(rf"{re.escape(error.key)}\s*=", text):
                    line = n
            raise ValueError(f"{self._name}, line {line + 1}: {error}") from None


def _parse_float(text: str) -> Fraction | float:
    """Return the exact number; a float is only an approximation."""
    try:
        return Fraction(text)
    except ValueError:  # nan and inf
        return float(text)
