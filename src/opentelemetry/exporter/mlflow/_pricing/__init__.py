"""What a call of DeepSeek's models costs, by the price list of the moment it began."""

from __future__ import annotations

import os
import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

COST = "mlflow.llm.cost"
# MLflow's server prices a span without a cost by a catalogue of its own, whoever served
# the model: if the provider is not in it, then like the first that has one of the name.
# An empty cost keeps it from that, and is none for all that reads it; but MLflow 3.17
# shows the sum of nothing but empty costs as 0.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/otel/translation/__init__.py
NO_COST = "{}"

_TOO_MANY = 2**63

_SECOND = 1_000_000_000
_DAY = 86_400

# The instrumentation's setting: whom the user names there speaks DeepSeek's API, as a
# gateway to DeepSeek does. `*`, every host, names nobody.
_GATEWAYS = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"

# The second is what instrumentations of the `openai` package call any server.
_PROVIDERS = ("deepseek", "openai")


class Price(NamedTuple):
    """USD for one token, each divided by `scale`."""

    cache_hit: int
    cache_miss: int
    output: int
    scale: int

    def of(self, cached: int, missed: int, output: int) -> str:
        """The cost of so many tokens, in the form of `mlflow.llm.cost`."""
        asked = cached * self.cache_hit + missed * self.cache_miss
        answered = output * self.output
        # By hand: the encoder takes longer than all the rest.
        return (
            f'{{"input_cost": {asked / self.scale}, '
            f'"output_cost": {answered / self.scale}, '
            f'"total_cost": {(asked + answered) / self.scale}}}'
        )


class Window(NamedTuple):
    """Hours of a week; `offset` and `times` in seconds, Monday is 0.

    `holidays` are days since 1970-01-01, there.
    """

    offset: int
    times: tuple[tuple[int, int], ...]
    weekdays: frozenset[int]
    holidays: frozenset[int]

    def holds(self, time: int) -> bool:
        """Whether `time`, in nanoseconds since 1970 UTC, is one of its hours."""
        day, second = divmod(time // _SECOND + self.offset, _DAY)
        # 1 January 1970 was a Thursday.
        if (day + 3) % 7 not in self.weekdays or day in self.holidays:
            return False
        return any(begin <= second < end for begin, end in self.times)


class Row(NamedTuple):
    """Prices between `begin` and `end`, nanoseconds since 1970 UTC."""

    begin: int
    end: int | None
    price: Price
    window: Window | None = None
    peak: Price | None = None

    def holds(self, time: int) -> bool:
        return self.begin <= time and (self.end is None or time < self.end)

    def overlaps(self, other: Row) -> bool:
        return (other.end is None or self.begin < other.end) and (
            self.end is None or other.begin < self.end
        )

    def at(self, time: int) -> Price:
        if self.peak and self.window and self.window.holds(time):
            return self.peak
        return self.price


class PriceList:
    """`hosts` are those that take these prices, `rows` those of each model."""

    def __init__(
        self, hosts: Collection[str], rows: Mapping[str, Collection[Row]]
    ) -> None:
        named = map(translate, (*hosts, *_gateways()))
        self._is_named = re.compile("|".join(named)).match
        self._rows = rows

    def cost(self, attributes: Mapping[str, Any], start: int | None) -> str | None:
        """`mlflow.llm.cost` of a span with these attributes that began at `start`.

        `start` is in nanoseconds since 1970 UTC. A model of the list without a price,
        for it was served elsewhere or before its first row, has NO_COST. None: there is
        nothing to say of the cost.
        """
        model = attributes.get("gen_ai.response.model") or attributes.get(
            "gen_ai.request.model"
        )
        rows = self._rows.get(model) if isinstance(model, str) else None
        if rows is None or not (
            "gen_ai.usage.input_tokens" in attributes
            or "gen_ai.usage.output_tokens" in attributes
        ):
            return None
        tokens = _tokens(attributes)
        if tokens is None or start is None or not self._is_billed(attributes):
            return NO_COST
        for row in rows:
            if row.holds(start):
                return row.at(start).of(*tokens)
        return NO_COST

    def _is_billed(self, attributes: Mapping[str, Any]) -> bool:
        provider = attributes.get("gen_ai.provider.name") or attributes.get(
            "gen_ai.system"
        )
        address = attributes.get("server.address")
        if not address:
            return provider == "deepseek"
        host = str(address).lower()
        return provider in _PROVIDERS and bool(
            self._is_named(host)
            or self._is_named(f"{host}:{attributes.get('server.port')}")
        )


def _tokens(attributes: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """From the cache, not from it, and of the answer; None if they cannot be right.

    A count that is absent is 0: instrumentations drop zeros.
    """
    asked = attributes.get("gen_ai.usage.input_tokens", 0)
    cached = attributes.get("gen_ai.usage.cache_read.input_tokens", 0)
    answered = attributes.get("gen_ai.usage.output_tokens", 0)
    if not (type(asked) is type(cached) is type(answered) is int):
        return None
    if not (0 <= cached <= asked < _TOO_MANY and 0 <= answered < _TOO_MANY):
        return None
    return cached, asked - cached, answered


def _gateways() -> list[str]:
    entries = os.environ.get(_GATEWAYS, "").lower().split(",")
    return [host for entry in entries if (host := entry.strip()) not in ("", "*")]
