"""The prices of tools that DeepSeek runs itself, such as its web search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from fractions import Fraction

# Exclusive. Larger counts cannot be right.
_REQUEST_LIMIT = 2**63


class ToolPrice(NamedTuple):
    """The USD for one request from `start` until `end`, in Unix nanoseconds.

    `end` is exclusive, and None for a price without an end.
    """

    start: int
    end: int | None
    per_request: Fraction

    def contains(self, time: int) -> bool:
        return self.start <= time and (self.end is None or time < self.end)


class ToolPrices:
    """The prices of each tool."""

    def __init__(self, prices: Mapping[str, Collection[ToolPrice]]) -> None:
        # The instrumentation of this distribution records these attributes.
        self._prices = {
            f"deepseek.usage.{tool}_requests": periods
            for tool, periods in prices.items()
        }

    def cost(self, attributes: Mapping[str, Any], time: int) -> float:
        """The USD for the requests of a call that started at `time`.

        Requests before the first price cost nothing.
        """
        total = 0.0
        for attribute, periods in self._prices.items():
            count = attributes.get(attribute)
            if type(count) is int and 0 < count < _REQUEST_LIMIT:
                total += sum(
                    float(count * period.per_request)
                    for period in periods
                    if period.contains(time)
                )
        return total
