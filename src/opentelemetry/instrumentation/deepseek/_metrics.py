"""The client metrics of the GenAI conventions, under their released or latest names.

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

_SECONDS_BUCKETS: Final = [0.01 * 2**power for power in range(14)]
_TOKEN_BUCKETS: Final = [4**power for power in range(14)]

# A context without a span, for which the SDK makes no exemplar. An exemplar takes a
# fifth of the time of a measurement, and one for each batch of gaps is enough.
_EMPTY_CONTEXT: Final = Context()

# The span attributes that measurements have too. More would make too many time series.
_METRIC_ATTRIBUTES: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    "error.type",
)


class Metrics(Protocol):
    """Measurements of invocations, in seconds and tokens."""

    wants_chunks: bool

    def __init__(self, meter: Meter) -> None: ...

    def record_first_chunk(
        self, seconds: float, attributes: Mapping[str, Any], context: Context
    ) -> None: ...

    def record_chunk_gaps(
        self, gaps: Sequence[float], attributes: Mapping[str, Any], context: Context
    ) -> None:
        """Records the seconds between chunks; `gaps` is not empty."""
        ...

    def record_invocation(
        self, seconds: float, span_attributes: Mapping[str, Any], context: Context
    ) -> None:
        """Records an invocation that has ended, from all attributes of its span."""
        ...


def metric_attributes(span_attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those attributes of a span that measurements have too."""
    return {
        name: span_attributes[name]
        for name in _METRIC_ATTRIBUTES
        if name in span_attributes
    }


class _ChunkMetrics:
    """The metrics of streams, which differ between the two sets in their prefix."""

    def __init__(self, meter: Meter, prefix: str) -> None:
        self._time_to_first_chunk = _seconds_histogram(
            meter,
            f"{prefix}.time_to_first_chunk",
            "Time to receive the first chunk of a streamed answer",
        )
        self._time_per_output_chunk = _seconds_histogram(
            meter,
            f"{prefix}.time_per_output_chunk",
            "Time between two chunks of a streamed answer",
        )
        self.wants_chunks = not isinstance(self._time_per_output_chunk, NoOpHistogram)

    def record_first_chunk(
        self, seconds: float, attributes: Mapping[str, Any], context: Context
    ) -> None:
        self._time_to_first_chunk.record(seconds, attributes, context)

    def record_chunk_gaps(
        self, gaps: Sequence[float], attributes: Mapping[str, Any], context: Context
    ) -> None:
        record = self._time_per_output_chunk.record
        *all_but_last, last = gaps
        for seconds in all_but_last:
            record(seconds, attributes, _EMPTY_CONTEXT)
        record(last, attributes, context)


class ReleasedMetrics(_ChunkMetrics):
    """The names that released instrumentations and existing dashboards use."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter, "gen_ai.client.operation")
        self._duration = _seconds_histogram(
            meter, "gen_ai.client.operation.duration", "Duration of a GenAI operation"
        )
        self._token_usage = _token_histogram(
            meter, "gen_ai.client.token.usage", "Tokens used by a GenAI operation"
        )

    def record_invocation(
        self, seconds: float, span_attributes: Mapping[str, Any], context: Context
    ) -> None:
        attributes = metric_attributes(span_attributes)
        self._duration.record(seconds, attributes, context)
        for token_type in ("input", "output"):
            count = span_attributes.get(f"gen_ai.usage.{token_type}_tokens")
            if count is not None:
                attributes = attributes | {"gen_ai.token.type": token_type}
                self._token_usage.record(count, attributes, context)


class LatestMetrics(_ChunkMetrics):
    """The names on the conventions' main branch.

    An invocation without usage counts as 0 tokens. The modality of tokens is `unknown`
    because DeepSeek does not report it.
    """

    def __init__(self, meter: Meter) -> None:
        prefix = "gen_ai.client.inference"
        super().__init__(meter, prefix)
        self._duration = _seconds_histogram(
            meter, f"{prefix}.duration", "Duration of a GenAI inference"
        )
        self._histograms = {
            usage: _token_histogram(
                meter, f"{prefix}.operation.{usage}", "Tokens of one GenAI inference"
            )
            for usage in ("input_tokens", "output_tokens")
        }
        self._counters = {
            usage: meter.create_counter(
                f"{prefix}.usage.{usage}", "{token}", "Tokens of GenAI inferences"
            )
            for usage in (
                "input_tokens",
                "output_tokens",
                "cache_read.input_tokens",
                "reasoning.output_tokens",
            )
        }

    def record_invocation(
        self, seconds: float, span_attributes: Mapping[str, Any], context: Context
    ) -> None:
        attributes = metric_attributes(span_attributes)
        self._duration.record(seconds, attributes, context)
        for usage, histogram in self._histograms.items():
            count = span_attributes.get(f"gen_ai.usage.{usage}", 0)
            histogram.record(count, attributes, context)
        attributes.pop("error.type", None)
        attributes["gen_ai.token.modality"] = "unknown"
        for usage, counter in self._counters.items():
            count = span_attributes.get(f"gen_ai.usage.{usage}", 0)
            counter.add(count, attributes, context)


def _seconds_histogram(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        name, "s", description, explicit_bucket_boundaries_advisory=_SECONDS_BUCKETS
    )


def _token_histogram(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        name, "{token}", description, explicit_bucket_boundaries_advisory=_TOKEN_BUCKETS
    )


_METRICS_BY_SETTING: Final[Mapping[str, type[ReleasedMetrics | LatestMetrics]]] = {
    "": ReleasedMetrics,
    "released": ReleasedMetrics,
    "latest": LatestMetrics,
}


def metrics_from_environment() -> type[Metrics]:
    """Returns the class that OTEL_INSTRUMENTATION_DEEPSEEK_METRICS selects.

    Raises:
        ValueError: if the value is invalid; the message names the variable and the
            accepted values.
    """
    setting = os.environ.get(OTEL_INSTRUMENTATION_DEEPSEEK_METRICS, "").strip().lower()
    if setting not in _METRICS_BY_SETTING:
        raise ValueError(
            f"{OTEL_INSTRUMENTATION_DEEPSEEK_METRICS} must be 'released' or 'latest'; "
            f"got {setting!r}"
        )
    return _METRICS_BY_SETTING[setting]
