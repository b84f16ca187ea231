"""A price list in TOML: `prices.toml`, and over it one of the user's."""

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

from opentelemetry.exporter.mlflow._pricing import Price, PriceList, Row, Window

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from opentelemetry.exporter.mlflow._config import Setting

Table = dict[str, Any]

_OURS = files("opentelemetry.exporter.mlflow._pricing").joinpath("prices.toml")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RATES = ("cache_hit", "cache_miss", "output")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_USD = 1_000_000
_REQUIRED: Any = object()


def load_price_list(given: Setting) -> PriceList:
    """Ours, and over it what the file says that `given` names.

    Raises ValueError: there is no such file, or it says, in the line that the message
    names, what cannot be meant.
    """
    ours = _PriceFile(_OURS.read_text("utf-8"), "prices.toml")
    if given.value is None:
        return PriceList(ours.hosts, ours.rows(ours.windows))
    path = Path(given.value).expanduser()
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{given.name} takes the path of a price list, in the form of the "
            f"prices.toml in this package: {error}"
        ) from None
    theirs = _PriceFile(text, f"{given.name}: {path}")
    windows = ours.windows | theirs.windows
    return PriceList(
        [*ours.hosts, *theirs.hosts], ours.rows(windows) | theirs.rows(windows)
    )


class _WrongError(Exception):
    """What cannot be meant, and the key under which it stands."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


class _PriceFile:
    """What a file says; `name` is how to speak of it."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        try:
            whole = tomllib.loads(text, parse_float=_exact)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        with self._lines_of(""):
            _only(whole, "hosts", "prices", "windows")
            self.hosts = [host.lower() for host in _names(whole, "hosts", [])]
            self._prices = _take(whole, "prices", list, "tables: [[prices]]", [])
            windows = _take(whole, "windows", dict, "tables: [windows.NAME]", {})
        self.windows: dict[str, Window] = {}
        for key, table in windows.items():
            with self._lines_of(f"[windows.{key}]"):
                self.windows[key] = _window(table)

    def rows(self, windows: Mapping[str, Window]) -> dict[str, list[Row]]:
        """Those of each model, with `windows` for the names of windows."""
        found: dict[str, list[Row]] = {}
        for number, table in enumerate(self._prices):
            with self._lines_of("[[prices]]", number):
                row = _row(table, windows)
                for model in _names(table, "models"):
                    rows = found.setdefault(model, [])
                    if any(row.overlaps(other) for other in rows):
                        raise _WrongError("models", f"{model} has another price then")
                    rows.append(row)
        return found

    @contextmanager
    def _lines_of(self, header: str, number: int = 0) -> Generator[None]:
        """Says in which line: that of the key, below `header` number `number`."""
        try:
            yield
        except _WrongError as wrong:
            lines = [line.lstrip() for line in self._lines]
            heads = [n for n, text in enumerate(lines) if text.startswith(header)]
            begin = heads[number] if number < len(heads) else 0
            line = begin
            for n, text in enumerate(lines[begin:], begin):
                if n > begin and text.startswith("["):
                    break
                if re.match(rf"{re.escape(wrong.key)}\s*=", text):
                    line = n
            raise ValueError(f"{self._name}, line {line + 1}: {wrong}") from None


def _exact(number: str) -> Fraction | float:
    """What is written; a float is only near it, but for `nan` and `inf`."""
    try:
        return Fraction(number)
    except ValueError:
        return float(number)


def _row(table: Table, windows: Mapping[str, Window]) -> Row:
    _only(table, "models", "from", "until", "currency", *_RATES, "peak", "source")
    _take(table, "source", str, "the address where the price stands", "")
    if table.get("currency") != "USD":
        raise _WrongError("currency", 'currency takes "USD", which MLflow counts in')
    begin = _moment(table, "from")
    end = _moment(table, "until") if "until" in table else None
    if end is not None and end <= begin:
        raise _WrongError("until", "until takes a time after that of from")
    price = _price(table)
    if "peak" not in table:
        return Row(begin, end, price)
    peak = _take(table, "peak", dict, "a window and its prices")
    try:
        _only(peak, "window", *_RATES)
        return Row(begin, end, price, _named(peak, windows), _price(peak))
    except _WrongError as wrong:
        raise _WrongError("peak", f"peak: {wrong}") from None


def _named(peak: Table, windows: Mapping[str, Window]) -> Window:
    known = ", ".join(sorted(windows))
    name = _take(peak, "window", str, f"one of the windows: {known}")
    if name not in windows:
        raise _WrongError("window", f"window takes one of the windows: {known}")
    return windows[name]


def _price(table: Table) -> Price:
    rates: list[Fraction] = []
    for name in _RATES:
        rate: Any = table.get(name)
        if type(rate) not in (int, Fraction) or not 0 <= rate <= _MOST_USD:
            raise _WrongError(name, f"{name} takes USD per million tokens, as 0.15")
        rates.append(Fraction(rate))
    common = lcm(*(rate.denominator for rate in rates))
    hit, miss, output = (int(rate * common) for rate in rates)
    return Price(hit, miss, output, common * 1_000_000)


def _window(table: Table) -> Window:
    _only(table, "offset", "times", "weekdays", "holidays")
    takes = 'the hours and minutes from UTC, as "+08:00"'
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", _take(table, "offset", str, takes))
    if offset is None:
        raise _WrongError("offset", f"offset takes {takes}")
    sign, hours, minutes = offset.groups()
    seconds = int(hours) * 3_600 + int(minutes) * 60
    weekdays = _names(table, "weekdays", list(_WEEKDAYS))
    if not set(weekdays) <= set(_WEEKDAYS):
        raise _WrongError("weekdays", f"weekdays takes some of {', '.join(_WEEKDAYS)}")
    holidays: list[Any] = _take(table, "holidays", list, "dates, as [2026-10-01]", [])
    if not all(isinstance(day, date) for day in holidays):
        raise _WrongError("holidays", "holidays takes dates, as [2026-10-01]")
    return Window(
        -seconds if sign == "-" else seconds,
        tuple(_hours(pair) for pair in _take(table, "times", list, "pairs of times")),
        frozenset(_WEEKDAYS.index(day) for day in weekdays),
        frozenset(day.toordinal() - _EPOCH.toordinal() for day in holidays),
    )


def _hours(pair: Any) -> tuple[int, int]:
    match pair:
        case [time() as begin, time() as end] if begin < end:
            return _seconds(begin), _seconds(end)
        case _:
            raise _WrongError(
                "times", "times takes pairs of times of one day: [[09:00:00, 12:00:00]]"
            )


def _seconds(of_day: time) -> int:
    return of_day.hour * 3_600 + of_day.minute * 60 + of_day.second


def _moment(table: Table, key: str) -> int:
    """In nanoseconds since 1970 UTC."""
    takes = "a time with an offset, as 2026-09-10T00:00:00+08:00"
    moment: datetime = _take(table, key, datetime, takes)
    if moment.tzinfo is None:
        raise _WrongError(key, f"{key} takes {takes}")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def _names(table: Table, key: str, default: Any = _REQUIRED) -> list[str]:
    names: list[Any] = _take(table, key, list, "a list of names", default)
    if not all(isinstance(name, str) for name in names):
        raise _WrongError(key, f"{key} takes a list of names")
    return names


def _take(
    table: Table, key: str, kind: type, takes: str, default: Any = _REQUIRED
) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind):
        raise _WrongError(key, f"{key} takes {takes}")
    return value


def _only(table: Any, *known: str) -> None:
    if not isinstance(table, dict):
        raise _WrongError("", "here is no table")
    for key in cast("Table", table).keys() - set(known):
        raise _WrongError(key, f"there is no setting {key!r}")
