"""A trace as MLflow stores it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from examples.quickstart._agent_run import RUN_ID_ATTRIBUTE
from examples.quickstart._report import redact_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import Span, Trace


@dataclass(frozen=True)
class Usage:
    """Token counts, and `cost` in USD. None means unknown, 0 means none."""

    input: int | None = None
    cached: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class RecordedSpan:
    """A span; `depth` is its level in the tree, 0 for a root."""

    name: str
    type: str
    status: str
    seconds: float
    depth: int
    usage: Usage


@dataclass(frozen=True)
class RecordedTrace:
    """A trace; `total` is the usage of the trace in MLflow, not a sum of `spans`."""

    trace_id: str
    experiment_id: str
    name: str
    state: str
    session: str | None
    user: str | None
    request: str | None
    response: str | None
    total: Usage
    spans: list[RecordedSpan] = field(default_factory=list["RecordedSpan"])

    @property
    def otel_trace_id(self) -> str:
        return self.trace_id.removeprefix("tr-")


class TraceReadError(RuntimeError):
    """The trace cannot be read from MLflow; the message says what to do."""


def read_trace(
    tracking_uri: str,
    run_id: str,
    *,
    experiment_id: str | None,
    experiment_name: str | None,
    timeout: float = 20,
) -> RecordedTrace:
    """Returns the trace of the run, once it is complete.

    Raises TraceReadError if MLflow has no complete trace after `timeout` seconds.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri)
    server = f"MLflow at {redact_credentials(tracking_uri)}"
    deadline = time.monotonic() + timeout
    try:
        if not experiment_id:
            experiment = client.get_experiment_by_name(experiment_name or "Default")
            if experiment is None:
                raise TraceReadError(
                    f"{server} has no experiment {experiment_name!r}: "
                    "the exporter could not reach it. See its log lines above."
                )
            experiment_id = str(experiment.experiment_id)
        while time.monotonic() < deadline:
            traces = client.search_traces(
                locations=[experiment_id],
                filter_string=f"tags.`{RUN_ID_ATTRIBUTE}` = '{run_id}'",
            )
            if traces and traces[0].info.state.value != "IN_PROGRESS":
                return to_recorded_trace(traces[0])
            time.sleep(0.5)
    except MlflowException as error:
        raise TraceReadError(f"{server} cannot be read: {error}") from error
    raise TraceReadError(
        f"{server} has no complete trace of this run after {timeout:.0f} s. "
        "See the log lines of the exporter above."
    )


def to_recorded_trace(trace: Trace) -> RecordedTrace:
    info = trace.info
    spans = list(_tree(trace.data.spans))
    reasoning = [s.usage.reasoning for s in spans if s.usage.reasoning is not None]
    return RecordedTrace(
        trace_id=info.trace_id,
        experiment_id=info.experiment_id or "",
        name=info.tags.get("mlflow.traceName", ""),
        state=info.state.value,
        session=info.trace_metadata.get("mlflow.trace.session"),
        user=info.trace_metadata.get("mlflow.trace.user"),
        request=info.request_preview,
        response=info.response_preview,
        # MLflow does not sum reasoning tokens.
        total=_usage(
            info.token_usage, sum(reasoning) if reasoning else None, info.cost
        ),
        spans=spans,
    )


def _tree(spans: list[Span]) -> Iterator[RecordedSpan]:
    """Yields the spans depth first, siblings in order of their start."""
    ids = {span.span_id for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start_time_ns):
        parent = span.parent_id if span.parent_id in ids else None
        children.setdefault(parent, []).append(span)

    def walk(parent: str | None, depth: int) -> Iterator[RecordedSpan]:
        for span in children.get(parent, []):
            yield RecordedSpan(
                name=span.name,
                type=span.span_type,
                status=span.status.status_code.value,
                seconds=((span.end_time_ns or span.start_time_ns) - span.start_time_ns)
                / 1e9,
                depth=depth,
                usage=_usage(
                    span.get_attribute("mlflow.chat.tokenUsage"),
                    span.get_attribute("gen_ai.usage.reasoning.output_tokens"),
                    span.get_attribute("mlflow.llm.cost"),
                ),
            )
            yield from walk(span.span_id, depth + 1)

    return walk(None, 0)


def _usage(
    tokens: dict[str, Any] | None,
    reasoning: int | None,
    cost: dict[str, float] | None,
) -> Usage:
    tokens = tokens or {}
    return Usage(
        input=tokens.get("input_tokens"),
        cached=tokens.get("cache_read_input_tokens"),
        output=tokens.get("output_tokens"),
        reasoning=reasoning,
        cost=(cost or {}).get("total_cost"),
    )
