"""The cost of a call of DeepSeek's models, at the prices of the moment it started."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from opentelemetry.exporter.mlflow._pricing._tool_prices import ToolPrices

# Exclusive. Larger counts cannot be right.
_TOKEN_LIMIT = 2**63

_NANOSECONDS_PER_SECOND = 1_000_000_000
_SECONDS_PER_DAY = 86_400

# Recorded by the instrumentation of this distribution for a host that is not DeepSeek's
# own. The user names gateways to DeepSeek, which charge DeepSeek's prices.
_SERVER_TYPE = "deepseek.server.type"
_GATEWAY = "gateway"

# Instrumentations of the `openai` package use "openai" for any server.
_DEEPSEEK = "deepseek"
_PROVIDER_NAMES = (_DEEPSEEK, "openai")


class Price(NamedTuple):
    """Prices of tokens. A price divided by `scale` is in USD per token.

    Integers keep the prices exact.
    """

    cache_hit: int
    cache_miss: int
    output: int
    scale: int

    def cost(
        self, model: str, hit_tokens: int, miss_tokens: int, output_tokens: int
    ) -> CallCost:
        input_ = hit_tokens * self.cache_hit + miss_tokens * self.cache_miss
        output = output_tokens * self.output
        return CallCost(
            model,
            input_ / self.scale,
            output / self.scale,
            (input_ + output) / self.scale,
            is_known=True,
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
        self,
        hosts: Collection[str],
        periods: Mapping[str, Collection[PricePeriod]],
        tool_prices: ToolPrices,
    ) -> None:
        self._match_host = re.compile("|".join(map(translate, hosts))).match
        self._periods = periods
        self._tool_prices = tool_prices

    def cost(self, attributes: Mapping[str, Any], start: int | None) -> CallCost | None:
        """The cost of a call that started at `start`, in Unix nanoseconds.

        It is not known if the list has no price for the call: of that model, of the
        server, or at that time. It is None if the span is not a call, or if it is a
        call of another provider to a model that is not in the list.
        """
        model = attributes.get("gen_ai.response.model") or attributes.get(
            "gen_ai.request.model"
        )
        if not isinstance(model, str) or not (
            "gen_ai.usage.input_tokens" in attributes
            or "gen_ai.usage.output_tokens" in attributes
        ):
            return None
        periods = self._periods.get(model)
        if periods is None:
            is_deepseek = _provider(attributes) == _DEEPSEEK
            return CallCost(model) if is_deepseek else None
        tokens = _token_counts(attributes)
        if tokens is None or start is None or not self._is_billed(attributes):
            return CallCost(model)
        for period in periods:
            if period.contains(start):
                cost = period.price_at(start).cost(model, *tokens)
                tools = self._tool_prices.cost(attributes, start)
                return cost._replace(total=cost.total + tools) if tools else cost
        return CallCost(model)

    def _is_billed(self, attributes: Mapping[str, Any]) -> bool:
        """Whether the call went to a host that charges these prices."""
        provider = _provider(attributes)
        address = attributes.get("server.address")
        if not address:
            return provider == _DEEPSEEK
        host = str(address).lower()
        return provider in _PROVIDER_NAMES and bool(
            attributes.get(_SERVER_TYPE) == _GATEWAY
            or self._match_host(host)
            or self._match_host(f"{host}:{attributes.get('server.port')}")
        )


def _provider(attributes: Mapping[str, Any]) -> object:
    return attributes.get("gen_ai.provider.name") or attributes.get("gen_ai.system")


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
