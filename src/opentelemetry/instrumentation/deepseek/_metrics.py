"""The client metrics of the GenAI conventions, in either of two dialects.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.context import Context
from opentelemetry.metrics import NoOpHistogram

from .environment_variables import OTEL_INSTRUMENTATION_DEEPSEEK_METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.metrics import Histogram, Meter

_SECONDS: Final = [0.01 * 2**power for power in range(14)]
_TOKENS: Final = [4**power for power in range(14)]

# Without a span there is no exemplar to make, which takes a fifth of a measurement:
# one for each lot of gaps is enough.
_NOWHERE: Final = Context()

# What a measurement says of its call; the rest would be too many series.
_LABELS: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    "error.type",
)


class Metrics(Protocol):
    """What is measured of a call, in seconds and tokens."""

    wants_chunks: bool

    def __init__(self, meter: Meter) -> None: ...

    def first_chunk(
        self, seconds: float, labels: Mapping[str, Any], context: Context
    ) -> None: ...

    def next_chunks(
        self, gaps: Sequence[float], labels: Mapping[str, Any], context: Context
    ) -> None:
        """At least one gap between two chunks."""
        ...

    def call(
        self, seconds: float, attributes: Mapping[str, Any], context: Context
    ) -> None:
        """A call is over; `attributes` are all that its span has."""
        ...


def labels(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in _LABELS if name in attributes}


class _Chunks:
    """What both dialects measure of a stream, each under its own prefix."""

    def __init__(self, meter: Meter, prefix: str) -> None:
        self._first_chunk = _seconds(
            meter,
            f"{prefix}.time_to_first_chunk",
            "Time to receive the first chunk of a streamed answer",
        )
        self._next_chunk = _seconds(
            meter,
            f"{prefix}.time_per_output_chunk",
            "Time between two chunks of a streamed answer",
        )
        self.wants_chunks = not isinstance(self._next_chunk, NoOpHistogram)

    def first_chunk(
        self, seconds: float, labels: Mapping[str, Any], context: Context
    ) -> None:
        self._first_chunk.record(seconds, labels, context)

    def next_chunks(
        self, gaps: Sequence[float], labels: Mapping[str, Any], context: Context
    ) -> None:
        record = self._next_chunk.record
        *most, last = gaps
        for seconds in most:
            record(seconds, labels, _NOWHERE)
        record(last, labels, context)


class ReleasedMetrics(_Chunks):
    """The names of released instrumentations, and of the dashboards made for them."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter, "gen_ai.client.operation")
        self._duration = _seconds(
            meter, "gen_ai.client.operation.duration", "Duration of a GenAI operation"
        )
        self._tokens = _tokens(
            meter, "gen_ai.client.token.usage", "Tokens used by a GenAI operation"
        )

    def call(
        self, seconds: float, attributes: Mapping[str, Any], context: Context
    ) -> None:
        said = labels(attributes)
        self._duration.record(seconds, said, context)
        for kind in ("input", "output"):
            count = attributes.get(f"gen_ai.usage.{kind}_tokens")
            if count is not None:
                said = said | {"gen_ai.token.type": kind}
                self._tokens.record(count, said, context)


class LatestMetrics(_Chunks):
    """The names on the conventions' main branch.

    Every call is counted, with no tokens where it had none. DeepSeek does not say of
    which modality they are.
    """

    def __init__(self, meter: Meter) -> None:
        prefix = "gen_ai.client.inference"
        super().__init__(meter, prefix)
        self._duration = _seconds(
            meter, f"{prefix}.duration", "Duration of a GenAI inference"
        )
        self._per_call = {
            kind: _tokens(
                meter, f"{prefix}.operation.{kind}", "Tokens of one GenAI inference"
            )
            for kind in ("input_tokens", "output_tokens")
        }
        self._sums = {
            kind: meter.create_counter(
                f"{prefix}.usage.{kind}", "{token}", "Tokens of GenAI inferences"
            )
            for kind in (
                "input_tokens",
                "output_tokens",
                "cache_read.input_tokens",
                "reasoning.output_tokens",
            )
        }

    def call(
        self, seconds: float, attributes: Mapping[str, Any], context: Context
    ) -> None:
        said = labels(attributes)
        self._duration.record(seconds, said, context)
        for kind, histogram in self._per_call.items():
            histogram.record(attributes.get(f"gen_ai.usage.{kind}", 0), said, context)
        said.pop("error.type", None)
        said["gen_ai.token.modality"] = "unknown"
        for kind, counter in self._sums.items():
            counter.add(attributes.get(f"gen_ai.usage.{kind}", 0), said, context)


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        name, "s", description, explicit_bucket_boundaries_advisory=_SECONDS
    )


def _tokens(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        name, "{token}", description, explicit_bucket_boundaries_advisory=_TOKENS
    )


_DIALECTS: Final[Mapping[str, type[ReleasedMetrics | LatestMetrics]]] = {
    "": ReleasedMetrics,
    "released": ReleasedMetrics,
    "latest": LatestMetrics,
}


def dialect() -> type[Metrics]:
    """The metrics that OTEL_INSTRUMENTATION_DEEPSEEK_METRICS asks for.

    Raises:
        ValueError: it asks for others.
    """
    asked = os.environ.get(OTEL_INSTRUMENTATION_DEEPSEEK_METRICS, "").strip().lower()
    if asked not in _DIALECTS:
        raise ValueError(
            f"{OTEL_INSTRUMENTATION_DEEPSEEK_METRICS} takes 'released' or 'latest'; "
            f"not {asked!r}"
        )
    return _DIALECTS[asked]
