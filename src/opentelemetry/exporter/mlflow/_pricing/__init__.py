"""The cost of a call of DeepSeek's models, at the prices of the moment it started."""

from __future__ import annotations

import os
import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

COST = "mlflow.llm.cost"
# MLflow's server computes the cost of a span that has none, from its own catalogue of
# models. It ignores who served the model: if the catalogue does not have the provider,
# the first provider with a model of that name counts. An empty cost prevents this, and
# all readers treat it as no cost. But MLflow 3.17 shows a sum of empty costs as 0.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/otel/translation/__init__.py
NO_COST = "{}"

# Exclusive. Larger counts cannot be right.
_TOKEN_LIMIT = 2**63

_NANOSECONDS_PER_SECOND = 1_000_000_000
_SECONDS_PER_DAY = 86_400

# A setting of the instrumentation. The hosts that the user names there serve DeepSeek's
# API, for example as gateways to DeepSeek. `*` means every host, and names none.
_HOSTS_VARIABLE = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"

# Instrumentations of the `openai` package use "openai" for any server.
_PROVIDER_NAMES = ("deepseek", "openai")


class Price(NamedTuple):
    """Prices of tokens. A price divided by `scale` is in USD per token.

    Integers keep the prices exact.
    """

    cache_hit: int
    cache_miss: int
    output: int
    scale: int

    def cost(self, hit_tokens: int, miss_tokens: int, output_tokens: int) -> str:
        """Return the cost of the tokens as JSON, in the form of `mlflow.llm.cost`."""
        input_ = hit_tokens * self.cache_hit + miss_tokens * self.cache_miss
        output = output_tokens * self.output
        # A JSON encoder takes longer than the whole rest of the computation.
        return (
            f'{{"input_cost": {input_ / self.scale}, '
            f'"output_cost": {output / self.scale}, '
            f'"total_cost": {(input_ + output) / self.scale}}}'
        )


class PeakWindow(NamedTuple):
    """The peak hours of a week.

    `offset` from UTC and `times` of day are in seconds. Monday is weekday 0. Holidays
    are local days since 1970-01-01.
    """

    offset: int
    times: tuple[tuple[int, int], ...]
    weekdays: frozenset[int]
    holidays: frozenset[int]

    def contains(self, time: int) -> bool:
        """Whether `time`, in Unix nanoseconds, is in the window."""
        day, second = divmod(
            time // _NANOSECONDS_PER_SECOND + self.offset, _SECONDS_PER_DAY
        )
        # 1 January 1970 was a Thursday.
        if (day + 3) % 7 not in self.weekdays or day in self.holidays:
            return False
        return any(start <= second < end for start, end in self.times)


class PricePeriod(NamedTuple):
    """The price of a model from `start` until `end` (exclusive), in Unix nanoseconds.

    `end` is None for a price without an end. `peak_price` applies in `peak_window`.
    """

    start: int
    end: int | None
    price: Price
    peak_window: PeakWindow | None = None
    peak_price: Price | None = None

    def contains(self, time: int) -> bool:
        return self.start <= time and (self.end is None or time < self.end)

    def overlaps(self, other: PricePeriod) -> bool:
        return (other.end is None or self.start < other.end) and (
            self.end is None or other.start < self.end
        )

    def price_at(self, time: int) -> Price:
        if self.peak_price and self.peak_window and self.peak_window.contains(time):
            return self.peak_price
        return self.price


class PriceList:
    """The prices of models, and the hosts that charge them.

    `hosts` are patterns of `host` or `host:port`. `periods` are those of each model.
    """

    def __init__(
        self, hosts: Collection[str], periods: Mapping[str, Collection[PricePeriod]]
    ) -> None:
        patterns = map(translate, (*hosts, *_gateway_hosts()))
        self._match_host = re.compile("|".join(patterns)).match
        self._periods = periods

    def cost(self, attributes: Mapping[str, Any], start: int | None) -> str | None:
        """The value of `mlflow.llm.cost` for a span that started at `start`.

        `start` is in Unix nanoseconds. The value is NO_COST if the list has the model
        but no price for the call, because another provider served it, or because it
        started before the first period. It is None if the span should have no cost
        attribute.
        """
        model = attributes.get("gen_ai.response.model") or attributes.get(
            "gen_ai.request.model"
        )
        periods = self._periods.get(model) if isinstance(model, str) else None
        if periods is None or not (
            "gen_ai.usage.input_tokens" in attributes
            or "gen_ai.usage.output_tokens" in attributes
        ):
            return None
        tokens = _token_counts(attributes)
        if tokens is None or start is None or not self._is_billed(attributes):
            return NO_COST
        for period in periods:
            if period.contains(start):
                return period.price_at(start).cost(*tokens)
        return NO_COST

    def _is_billed(self, attributes: Mapping[str, Any]) -> bool:
        """Whether the call went to a host that charges these prices."""
        provider = attributes.get("gen_ai.provider.name") or attributes.get(
            "gen_ai.system"
        )
        address = attributes.get("server.address")
        if not address:
            return provider == "deepseek"
        host = str(address).lower()
        return provider in _PROVIDER_NAMES and bool(
            self._match_host(host)
            or self._match_host(f"{host}:{attributes.get('server.port')}")
        )


def _token_counts(attributes: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """The counts of cache hits, cache misses and output, or None if they are invalid.

    A missing count is 0: instrumentations omit zeros.
    """
    input_ = attributes.get("gen_ai.usage.input_tokens", 0)
    hits = attributes.get("gen_ai.usage.cache_read.input_tokens", 0)
    output = attributes.get("gen_ai.usage.output_tokens", 0)
    if not (type(input_) is type(hits) is type(output) is int):
        return None
    if not (0 <= hits <= input_ < _TOKEN_LIMIT and 0 <= output < _TOKEN_LIMIT):
        return None
    return hits, input_ - hits, output


def _gateway_hosts() -> list[str]:
    entries = os.environ.get(_HOSTS_VARIABLE, "").lower().split(",")
    return [host for entry in entries if (host := entry.strip()) not in ("", "*")]
