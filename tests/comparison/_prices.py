"""DeepSeek's current price of a call, read from prices.toml without the exporter."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import tomli

if TYPE_CHECKING:
    from datetime import time

    from examples.simulator import Exchange

_PRICE_FILE: dict[str, Any] = tomli.loads(
    files("opentelemetry.exporter.mlflow._pricing")
    .joinpath("prices.toml")
    .read_text(encoding="utf-8")
)


def price(exchange: Exchange, at_ns: int) -> float:
    """Returns the price in USD at current prices; `at_ns` is the request time."""
    (model,) = set(re.findall(rb'"model":"([^"]+)"', exchange.response_body))
    (row,) = (
        row
        for row in _PRICE_FILE["prices"]
        if model.decode() in row["models"] and "until" not in row
    )
    if is_peak(at_ns):
        row = row["peak"]
    usage = exchange.usage or {}
    return (
        usage["prompt_cache_hit_tokens"] * row["cache_hit"]
        + usage["prompt_cache_miss_tokens"] * row["cache_miss"]
        + usage["completion_tokens"] * row["output"]
    ) / 1e6


def is_peak(at_ns: int) -> bool:
    window = _PRICE_FILE["windows"]["workdays"]
    zone = datetime.strptime(window["offset"], "%z").tzinfo
    at = datetime.fromtimestamp(at_ns / 1e9, timezone.utc).astimezone(zone)
    time_of_day = at.time().replace(tzinfo=None)
    return (
        at.strftime("%a") in window["weekdays"]
        and at.date() not in window["holidays"]
        and any(_within(time_of_day, *times) for times in window["times"])
    )


def _within(moment: time, start: time, end: time) -> bool:
    return start <= moment < end
