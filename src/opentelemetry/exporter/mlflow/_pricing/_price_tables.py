"""Parses the tables of a price list."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._pricing import PeakWindow, Price, PricePeriod
from opentelemetry.exporter.mlflow._pricing._tool_prices import ToolPrice

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Table = dict[str, Any]

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
_USD_PER_THOUSAND_REQUESTS = "a number of USD per thousand requests, for example 0.75"


class InvalidKeyError(Exception):
    """A key of a table that is unknown or has an invalid value."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def parse_period(table: Table, windows: Mapping[str, PeakWindow]) -> PricePeriod:
    check_keys(
        table, "models", "from", "until", "currency", *_TOKEN_KINDS, "peak", "source"
    )
    start, end = _parse_validity(table)
    price = _parse_price(table)
    if "peak" not in table:
        return PricePeriod(start, end, price)
    peak = table_value(table, "peak", dict, "a table with a window and its prices")
    try:
        check_keys(peak, "window", *_TOKEN_KINDS)
        window = _find_window(peak, windows)
        return PricePeriod(start, end, price, window, _parse_price(peak))
    except InvalidKeyError as error:
        raise InvalidKeyError("peak", f"peak: {error}") from None


def parse_tool_price(table: Table) -> ToolPrice:
    check_keys(
        table, "tools", "from", "until", "currency", "per_thousand_requests", "source"
    )
    start, end = _parse_validity(table)
    price = _parse_usd(table, "per_thousand_requests", _USD_PER_THOUSAND_REQUESTS)
    return ToolPrice(start, end, price / 1_000)


def _parse_validity(table: Table) -> tuple[int, int | None]:
    """Return the start and the end of a price, which has a source, in USD."""
    table_value(table, "source", str, "the URL of the page with the price", "")
    if table.get("currency") != "USD":
        raise InvalidKeyError("currency", 'currency must be "USD", as in MLflow')
    start = _parse_time(table, "from")
    end = _parse_time(table, "until") if "until" in table else None
    if end is not None and end <= start:
        raise InvalidKeyError("until", "until must be later than from")
    return start, end


def _find_window(peak: Table, windows: Mapping[str, PeakWindow]) -> PeakWindow:
    accepted = _one_of(sorted(windows))
    name = table_value(peak, "window", str, accepted)
    if name not in windows:
        raise InvalidKeyError("window", f"window must be {accepted}")
    return windows[name]


def _parse_price(table: Table) -> Price:
    prices = [_parse_usd(table, kind, _USD) for kind in _TOKEN_KINDS]
    denominator = lcm(*(price.denominator for price in prices))
    cache_hit, cache_miss, output = (int(price * denominator) for price in prices)
    return Price(cache_hit, cache_miss, output, denominator * 1_000_000)


def _parse_usd(table: Table, key: str, accepted: str) -> Fraction:
    price: Any = table.get(key)
    if type(price) not in (int, Fraction) or not 0 <= price <= _MAX_USD:
        raise InvalidKeyError(key, f"{key} must be {accepted}")
    return Fraction(price)


def parse_window(table: Table) -> PeakWindow:
    check_keys(table, "offset", "times", "weekdays", "holidays")
    offset = re.fullmatch(
        r"([+-])(\d\d):(\d\d)", table_value(table, "offset", str, _OFFSET)
    )
    if offset is None:
        raise InvalidKeyError("offset", f"offset must be {_OFFSET}")
    sign, hours, minutes = offset.groups()
    seconds = int(hours) * 3_600 + int(minutes) * 60
    weekdays = strings(table, "weekdays", list(_WEEKDAYS))
    if not set(weekdays) <= set(_WEEKDAYS):
        raise InvalidKeyError(
            "weekdays", f"weekdays must be a list of {', '.join(_WEEKDAYS)}"
        )
    holidays: list[Any] = table_value(table, "holidays", list, _HOLIDAYS, [])
    if not all(isinstance(day, date) for day in holidays):
        raise InvalidKeyError("holidays", f"holidays must be {_HOLIDAYS}")
    return PeakWindow(
        -seconds if sign == "-" else seconds,
        tuple(_parse_times(pair) for pair in table_value(table, "times", list, _TIMES)),
        frozenset(_WEEKDAYS.index(day) for day in weekdays),
        frozenset(day.toordinal() - _EPOCH.toordinal() for day in holidays),
    )


def _parse_times(pair: Any) -> tuple[int, int]:
    match pair:
        case [time() as start, time() as end] if start < end:
            return _seconds_of_day(start), _seconds_of_day(end)
        case _:
            raise InvalidKeyError("times", f"times must be {_TIMES}")


def _seconds_of_day(time_of_day: time) -> int:
    return time_of_day.hour * 3_600 + time_of_day.minute * 60 + time_of_day.second


def _parse_time(table: Table, key: str) -> int:
    """Return the time in Unix nanoseconds."""
    value: datetime = table_value(table, key, datetime, _TIME)
    if value.tzinfo is None:
        raise InvalidKeyError(key, f"{key} must be {_TIME}")
    return (value - _EPOCH) // timedelta(microseconds=1) * 1_000


def strings(table: Table, key: str, default: Any = _REQUIRED) -> list[str]:
    accepted = "a list of strings"
    values: list[Any] = table_value(table, key, list, accepted, default)
    if not all(isinstance(value, str) for value in values):
        raise InvalidKeyError(key, f"{key} must be {accepted}")
    return values


def table_value(
    table: Table, key: str, type_: type, accepted: str, default: Any = _REQUIRED
) -> Any:
    value = table.get(key, default)
    if not isinstance(value, type_):
        raise InvalidKeyError(key, f"{key} must be {accepted}")
    return value


def check_keys(table: Any, *keys: str) -> None:
    if not isinstance(table, dict):
        raise InvalidKeyError("", "must be a table")
    for key in cast("Table", table).keys() - set(keys):
        raise InvalidKeyError(key, f"unknown key {key!r}; must be {_one_of(keys)}")


def _one_of(names: Collection[str]) -> str:
    return f"one of {', '.join(names)}"
