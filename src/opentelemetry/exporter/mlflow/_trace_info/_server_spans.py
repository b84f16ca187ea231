"""What an MLflow server receives of a request: spans, headers, and TraceInfo. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._trace_data import (
    TRACE_TAG_PREFIX,
    by_trace,
    find_root,
    hex_trace_id,
    trace_spans,
)
from opentelemetry.exporter.mlflow._trace_info._trace_info import (
    TraceInfo,
    experiment_location,
)
from opentelemetry.exporter.mlflow._trace_info._trace_settings import (
    METADATA_PREFIX,
    has_trace_settings,
    trace_metadata,
    without_trace_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_RUN: Final = "mlflow.sourceRun"
# Of the column in the server's database.
_MAX_PREVIEW_LENGTH: Final = 1_000
# The server has computed these from all spans, with prices of its own.
_TOTALS: Final = ("mlflow.trace.tokenUsage", "mlflow.trace.cost")


def server_spans(
    spans: Sequence[ReadableSpan], *, completes_traces: bool
) -> Sequence[ReadableSpan]:
    """Return the spans to store.

    Args:
        spans: of one request.
        completes_traces: whether the server computes TraceInfo from the spans. If not,
            it does not compute all attributes of a span either.
    """
    return [_server_span(span, completes_traces=completes_traces) for span in spans]


def _server_span(span: ReadableSpan, *, completes_traces: bool) -> ReadableSpan:
    attributes = span.attributes or {}
    is_local_root = span.parent is None or span.parent.is_remote
    if completes_traces and not has_trace_settings(
        attributes, is_local_root=is_local_root
    ):
        return span
    if completes_traces:
        return replace_span(span, attributes=without_trace_settings(attributes))
    # Objects and lists instead of JSON: version 3.6, and a local store of version 3.18,
    # would show JSON as one text.
    [trace_span] = trace_spans([span], f"tr-{hex_trace_id(span)}")
    tags = {
        name: value
        for name, value in attributes.items()
        if name.startswith(TRACE_TAG_PREFIX)
    }
    return replace_span(span, attributes={**trace_span.values, **tags})


def run_header(spans: Sequence[ReadableSpan]) -> dict[str, str]:
    """The header that links the traces of a request to their run."""
    for span in spans:
        if run_id := (span.attributes or {}).get(METADATA_PREFIX + _RUN):
            return {"x-mlflow-run-id": str(run_id)}
    return {}


def trace_info_updates(
    spans: Sequence[ReadableSpan], experiment_id: str, *, completes_traces: bool
) -> Iterator[dict[str, Any]]:
    """Yield the TraceInfo of each trace that the server cannot complete by itself.

    That is each trace whose root is in `spans`, if the server does not complete traces.
    Otherwise it is a trace of which the program told MLflow more than spans can say.
    """
    for trace_id, spans_of_trace in by_trace(spans).items():
        if completes_traces and not any(
            span.parent is None and trace_metadata(span.attributes or {})
            for span in spans_of_trace
        ):
            continue
        trace = trace_spans(spans_of_trace, f"tr-{trace_id}")
        if (root := find_root(trace)) is None:
            continue
        trace_info = TraceInfo.of(trace, root).to_json(
            experiment_location(experiment_id), "3", _MAX_PREVIEW_LENGTH
        )
        if completes_traces:
            for name in _TOTALS:
                trace_info["trace_metadata"].pop(name, None)
        yield {"trace_id": f"tr-{trace_id}", **trace_info}
