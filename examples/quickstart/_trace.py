"""A trace read back from MLflow, as MLflow shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from examples.quickstart._agent_run import RUN
from examples.quickstart._report import presentable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import Span, Trace


@dataclass(frozen=True)
class Usage:
    """Token counts; `cost` in USD. None is "not known", 0 is none."""

    input: int | None = None
    cached: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class RecordedSpan:
    name: str
    type: str
    status: str
    seconds: float
    depth: int
    usage: Usage


@dataclass(frozen=True)
class RecordedTrace:
    """`total` is MLflow's own sum over the trace, not a sum of `spans`."""

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


class Unreadable(RuntimeError):  # noqa: N818  # what the trace is
    """The trace is not to be had from MLflow; the message says what to do."""


def read_back(
    tracking_uri: str,
    mark: str,
    *,
    experiment_id: str | None,
    experiment_name: str | None,
    timeout: float = 20,
) -> RecordedTrace:
    """The trace of the run with this mark, when it is complete.

    Waits for it up to `timeout` seconds.
    """
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri)
    where = f"MLflow at {presentable(tracking_uri)}"
    ends = time.monotonic() + timeout
    try:
        if not experiment_id:
            experiment = client.get_experiment_by_name(experiment_name or "Default")
            if experiment is None:
                raise Unreadable(
                    f"{where} has no experiment {experiment_name!r}: "
                    "the exporter did not get there, see what it said above."
                )
            experiment_id = str(experiment.experiment_id)
        while time.monotonic() < ends:
            found = client.search_traces(
                locations=[experiment_id],
                filter_string=f"tags.`{RUN}` = '{mark}'",
            )
            if found and found[0].info.state.value != "IN_PROGRESS":
                return recorded(found[0])
            time.sleep(0.5)
    except MlflowException as error:
        raise Unreadable(f"{where} cannot be read: {error}") from error
    raise Unreadable(
        f"No complete trace of this run is in {where} after "
        f"{timeout:.0f} s; see what the exporter said above."
    )


def recorded(trace: Trace) -> RecordedTrace:
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
        # MLflow has no sum of reasoning tokens.
        total=_usage(
            info.token_usage, sum(reasoning) if reasoning else None, info.cost
        ),
        spans=spans,
    )


def _tree(spans: list[Span]) -> Iterator[RecordedSpan]:
    """Depth first, children in the order they began."""
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
