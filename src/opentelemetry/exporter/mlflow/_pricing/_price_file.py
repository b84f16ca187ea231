"""Reads TOML price lists: `prices.toml`, and a file of the user that overrides it."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction
from importlib.resources import files
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._pricing import (
    PeakWindow,
    Price,
    PriceList,
    PricePeriod,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping

    from opentelemetry.exporter.mlflow._config import Setting

Table = dict[str, Any]

_BUNDLED_FILE = files("opentelemetry.exporter.mlflow._pricing").joinpath("prices.toml")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TOKEN_KINDS = ("cache_hit", "cache_miss", "output")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MAX_USD = 1_000_000
_REQUIRED: Any = object()

_TIMES = "a list of pairs of times of one day, for example [[09:00:00, 12:00:00]]"
_HOLIDAYS = "a list of dates, for example [2026-10-01]"
_OFFSET = 'an offset from UTC in hours and minutes, for example "+08:00"'
_TIME = "a time with an offset, for example 2026-09-10T00:00:00+08:00"
_USD = "a number of USD per million tokens, for example 0.15"


def load_price_list(setting: Setting) -> PriceList:
    """Return the prices in this package, overridden by the file that `setting` names.

    Raises ValueError if the file cannot be read, or if it has an invalid value; the
    message names the line and the accepted values.
    """
    bundled = _PriceFile(_BUNDLED_FILE.read_text("utf-8"), "prices.toml")
    if setting.value is None:
        return PriceList(bundled.hosts, bundled.periods(bundled.windows))
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
    )


class _InvalidKeyError(Exception):
    """A key of a table that is unknown or has an invalid value."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


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
            _check_keys(document, "hosts", "prices", "windows")
            self.hosts = [host.lower() for host in _strings(document, "hosts", [])]
            self._prices = _value(
                document, "prices", list, "an array of tables, [[prices]]", []
            )
            windows = _value(document, "windows", dict, "tables, [windows.NAME]", {})
        self.windows: dict[str, PeakWindow] = {}
        for key, table in windows.items():
            with self._add_line_to_errors(f"[windows.{key}]"):
                self.windows[key] = _parse_window(table)

    def periods(
        self, windows: Mapping[str, PeakWindow]
    ) -> dict[str, list[PricePeriod]]:
        """Return the periods of each model. `windows` has the windows of all files."""
        periods: dict[str, list[PricePeriod]] = {}
        for index, table in enumerate(self._prices):
            with self._add_line_to_errors("[[prices]]", index):
                period = _parse_period(table, windows)
                for model in _strings(table, "models"):
                    others = periods.setdefault(model, [])
                    if any(period.overlaps(other) for other in others):
                        raise _InvalidKeyError(
                            "models", f"{model} has another price in this period"
                        )
                    others.append(period)
        return periods

    @contextmanager
    def _add_line_to_errors(self, header: str, index: int = 0) -> Generator[None]:
        """Raise ValueError with the line of an invalid key.

        The key is in the table below the header. `index` is that of the header among
        equal headers.
        """
        try:
            yield
        except _InvalidKeyError as error:
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


def _parse_period(table: Table, windows: Mapping[str, PeakWindow]) -> PricePeriod:
    _check_keys(
        table, "models", "from", "until", "currency", *_TOKEN_KINDS, "peak", "source"
    )
    _value(table, "source", str, "the URL of the page with the price", "")
    if table.get("currency") != "USD":
        raise _InvalidKeyError("currency", 'currency must be "USD", as in MLflow')
    start = _parse_time(table, "from")
    end = _parse_time(table, "until") if "until" in table else None
    if end is not None and end <= start:
        raise _InvalidKeyError("until", "until must be later than from")
    price = _parse_price(table)
    if "peak" not in table:
        return PricePeriod(start, end, price)
    peak = _value(table, "peak", dict, "a table with a window and its prices")
    try:
        _check_keys(peak, "window", *_TOKEN_KINDS)
        window = _find_window(peak, windows)
        return PricePeriod(start, end, price, window, _parse_price(peak))
    except _InvalidKeyError as error:
        raise _InvalidKeyError("peak", f"peak: {error}") from None


def _find_window(peak: Table, windows: Mapping[str, PeakWindow]) -> PeakWindow:
    accepted = _one_of(sorted(windows))
    name = _value(peak, "window", str, accepted)
    if name not in windows:
        raise _InvalidKeyError("window", f"window must be {accepted}")
    return windows[name]


def _parse_price(table: Table) -> Price:
    prices: list[Fraction] = []
    for kind in _TOKEN_KINDS:
        price: Any = table.get(kind)
        if type(price) not in (int, Fraction) or not 0 <= price <= _MAX_USD:
            raise _InvalidKeyError(kind, f"{kind} must be {_USD}")
        prices.append(Fraction(price))
    denominator = lcm(*(price.denominator for price in prices))
    cache_hit, cache_miss, output = (int(price * denominator) for price in prices)
    return Price(cache_hit, cache_miss, output, denominator * 1_000_000)


def _parse_window(table: Table) -> PeakWindow:
    _check_keys(table, "offset", "times", "weekdays", "holidays")
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", _value(table, "offset", str, _OFFSET))
    if offset is None:
        raise _InvalidKeyError("offset", f"offset must be {_OFFSET}")
    sign, hours, minutes = offset.groups()
    seconds = int(hours) * 3_600 + int(minutes) * 60
    weekdays = _strings(table, "weekdays", list(_WEEKDAYS))
    if not set(weekdays) <= set(_WEEKDAYS):
        raise _InvalidKeyError(
            "weekdays", f"weekdays must be a list of {', '.join(_WEEKDAYS)}"
        )
    holidays: list[Any] = _value(table, "holidays", list, _HOLIDAYS, [])
    if not all(isinstance(day, date) for day in holidays):
        raise _InvalidKeyError("holidays", f"holidays must be {_HOLIDAYS}")
    return PeakWindow(
        -seconds if sign == "-" else seconds,
        tuple(_parse_times(pair) for pair in _value(table, "times", list, _TIMES)),
        frozenset(_WEEKDAYS.index(day) for day in weekdays),
        frozenset(day.toordinal() - _EPOCH.toordinal() for day in holidays),
    )


def _parse_times(pair: Any) -> tuple[int, int]:
    match pair:
        case [time() as start, time() as end] if start < end:
            return _seconds_of_day(start), _seconds_of_day(end)
        case _:
            raise _InvalidKeyError("times", f"times must be {_TIMES}")


def _seconds_of_day(time_of_day: time) -> int:
    return time_of_day.hour * 3_600 + time_of_day.minute * 60 + time_of_day.second


def _parse_time(table: Table, key: str) -> int:
    """Return the time in Unix nanoseconds."""
    value: datetime = _value(table, key, datetime, _TIME)
    if value.tzinfo is None:
        raise _InvalidKeyError(key, f"{key} must be {_TIME}")
    return (value - _EPOCH) // timedelta(microseconds=1) * 1_000


def _strings(table: Table, key: str, default: Any = _REQUIRED) -> list[str]:
    accepted = "a list of strings"
    values: list[Any] = _value(table, key, list, accepted, default)
    if not all(isinstance(value, str) for value in values):
        raise _InvalidKeyError(key, f"{key} must be {accepted}")
    return values


def _value(
    table: Table, key: str, type_: type, accepted: str, default: Any = _REQUIRED
) -> Any:
    value = table.get(key, default)
    if not isinstance(value, type_):
        raise _InvalidKeyError(key, f"{key} must be {accepted}")
    return value


def _check_keys(table: Any, *keys: str) -> None:
    if not isinstance(table, dict):
        raise _InvalidKeyError("", "must be a table")
    for key in cast("Table", table).keys() - set(keys):
        raise _InvalidKeyError(key, f"unknown key {key!r}; must be {_one_of(keys)}")


def _one_of(names: Collection[str]) -> str:
    return f"one of {', '.join(names)}"
