"""The client metrics of the GenAI conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.metrics import NoOpHistogram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

_SECONDS: Final = [0.01 * 2**power for power in range(14)]
_TOKENS: Final = [4**power for power in range(14)]

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
_USAGE: Final = (
    ("input", "gen_ai.usage.input_tokens"),
    ("output", "gen_ai.usage.output_tokens"),
)


class Metrics:
    """The names that released instrumentations use, `opentelemetry-util-genai` 1.3.

    https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md
    """

    def __init__(self, meter: Meter) -> None:
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="Duration of GenAI client operation",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used by GenAI clients",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._first_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to receive the first chunk of a streamed answer",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._next_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_per_output_chunk",
            unit="s",
            description="Time between two chunks of a streamed answer",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.wants_chunks: Final = not isinstance(self._next_chunk, NoOpHistogram)

    def first_chunk(
        self, seconds: float, labels: Mapping[str, Any], context: Context
    ) -> None:
        self._first_chunk.record(seconds, labels, context)

    def next_chunk(
        self, seconds: float, labels: Mapping[str, Any], context: Context
    ) -> None:
        self._next_chunk.record(seconds, labels, context)

    def call(
        self, seconds: float, attributes: Mapping[str, Any], context: Context
    ) -> None:
        """A call is over; `attributes` are all that its span has."""
        said = labels(attributes)
        self._duration.record(seconds, said, context)
        for kind, name in _USAGE:
            if (count := attributes.get(name)) is not None:
                self._tokens.record(count, said | {"gen_ai.token.type": kind}, context)


def labels(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in _LABELS if name in attributes}
