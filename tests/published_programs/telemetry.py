"""What the run of a program leaves at the OTLP endpoint and in MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from examples.quickstart._recorded_trace import to_recorded_trace

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from examples.otlp_receiver import OtlpReceiver
    from examples.quickstart._recorded_trace import RecordedTrace
    from examples.simulator import Simulator

SCOPE = "opentelemetry.instrumentation.deepseek"


class ModelCall(NamedTuple):
    """A DeepSeek span: its name, the name of its parent, its status and error type."""

    name: str
    parent: str = ""
    status: str = "UNSET"
    error_type: str | None = None


@dataclass(frozen=True)
class Telemetry:
    simulator: Simulator
    receiver: OtlpReceiver
    mlflow: MlflowClient
    experiment: str

    @property
    def model_calls(self) -> list[ModelCall]:
        """The DeepSeek spans at the OTLP endpoint, in the order of their start."""
        names = {span.span_id: span.name for span in self.receiver.spans}
        return [
            ModelCall(
                span.name,
                names[span.parent_id] if span.parent_id else "",
                span.status,
                span.attributes.get("error.type"),
            )
            for span in self._deepseek_spans
        ]

    @property
    def tokens(self) -> list[tuple[int | None, int | None]]:
        """Input and output tokens of the DeepSeek spans, in the same order."""
        return [
            (
                span.attributes.get("gen_ai.usage.input_tokens"),
                span.attributes.get("gen_ai.usage.output_tokens"),
            )
            for span in self._deepseek_spans
        ]

    @property
    def billed_tokens(self) -> list[tuple[int | None, int | None]]:
        """Input and output tokens of the HTTP exchanges, in the order of requests."""
        counts = [exchange.tokens for exchange in self.simulator.exchanges]
        return [(c.input, c.output) if c else (None, None) for c in counts]

    @property
    def traces(self) -> list[RecordedTrace]:
        """The traces in MLflow, in the order of their start."""
        traces = sorted(self._mlflow_traces, key=lambda t: t.info.request_time)
        return [to_recorded_trace(trace) for trace in traces]

    @property
    def mlflow_spans(self) -> list[tuple[Any, ...]]:
        """Ids and times of the spans in MLflow."""
        return sorted(
            (
                s.trace_id[3:],
                s.span_id,
                s.parent_id or "",
                s.start_time_ns,
                s.end_time_ns,
            )
            for trace in self._mlflow_traces
            for s in trace.data.spans
        )

    @property
    def otlp_spans(self) -> list[tuple[Any, ...]]:
        """Ids and times of the spans at the OTLP endpoint."""
        return sorted(
            (s.trace_id, s.span_id, s.parent_id, s.start_ns, s.end_ns)
            for s in self.receiver.spans
        )

    @property
    def _deepseek_spans(self):
        spans = [span for span in self.receiver.spans if span.scope == SCOPE]
        return sorted(spans, key=attrgetter("start_ns"))

    @property
    def _mlflow_traces(self):
        experiment = self.mlflow.get_experiment_by_name(self.experiment)
        if experiment is None:
            return []
        return list(self.mlflow.search_traces(locations=[experiment.experiment_id]))


def outline(trace: RecordedTrace) -> list[tuple[int, str, str]]:
    """Depth, type and name of each span, depth first."""
    return [(span.depth, span.type, span.name) for span in trace.spans]


def conversation(trace: RecordedTrace) -> tuple[str, str, str]:
    """State, question and answer, as MLflow's list of traces shows them."""
    return trace.state, trace.request, trace.response


def assert_complete(telemetry: Telemetry) -> None:
    """Asserts that each HTTP exchange has one span, and each span arrived once.

    MLflow and the OTLP endpoint have the same spans. Tokens are as DeepSeek billed
    them, also in the totals of MLflow.
    """
    assert (None, None) not in telemetry.tokens
    assert telemetry.tokens == telemetry.billed_tokens
    assert telemetry.mlflow_spans == telemetry.otlp_spans
    assert len(set(telemetry.otlp_spans)) == len(telemetry.otlp_spans)
    totals = [(trace.total.input, trace.total.output) for trace in telemetry.traces]
    assert [sum(filter(None, column)) for column in zip(*totals, strict=True)] == [
        sum(filter(None, column))
        for column in zip(*telemetry.billed_tokens, strict=True)
    ]
