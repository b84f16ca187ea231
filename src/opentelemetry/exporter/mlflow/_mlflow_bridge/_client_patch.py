"""Adapts what MLflow's own client writes of traces that MlflowSpanExporter also writes.

An MLflow server and a local store keep the last version of a span. There the client's
version gets its parent in the application's trace. Databricks keeps one file for each
trace, or each version of a span. There the client's version would replace the complete
trace or duplicate its spans, so the client does not write these spans.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/client.py
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from wrapt import patch_function_wrapper

from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import is_evaluation
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import (
    ids_of,
    started_spans,
)
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._call_costs import (
    DEEPSEEK_SCOPE,
    has_usage,
    without_usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from opentelemetry.sdk.trace import ReadableSpan


def patch_tracing_client(
    module: ModuleType,
    is_exported_to: Callable[[str], bool],
    on_error: Callable[[Exception], None],
) -> None:
    """Patch two methods of `TracingClient`, one of them private.

    `is_exported_to` tells whether a MlflowSpanExporter writes to a tracking URI.
    Raises AttributeError if this version of MLflow does not have the methods.
    """

    def wrap_log_spans(
        wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        def log_spans(location: str, spans: Sequence[Any], **options: Any) -> Any:
            try:
                if is_exported_to(client.tracking_uri):
                    spans = _spans_to_write(client, spans)
            except Exception as error:  # noqa: BLE001  # MLflow must get its spans
                on_error(error)
            return wrapped(location, spans, **options) if spans else spans

        return log_spans(*args, **kwargs)

    def wrap_upload_trace_data(
        wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        def upload(trace_info: Any, trace_data: Any, **options: Any) -> Any:
            try:
                if is_exported_to(client.tracking_uri) and not _spans_to_write(
                    client, trace_data.spans
                ):
                    return None
            except Exception as error:  # noqa: BLE001  # MLflow must get its spans
                on_error(error)
            return wrapped(trace_info, trace_data, **options)

        return upload(*args, **kwargs)

    patch_function_wrapper(module, "TracingClient.log_spans")(wrap_log_spans)
    patch_function_wrapper(module, "TracingClient._upload_trace_data")(
        wrap_upload_trace_data
    )


def _spans_to_write(client: Any, spans: Sequence[Any]) -> list[Any]:
    is_one_writer_only = _allows_one_writer_only(client)
    return [
        _span_for_server(span)
        for span in spans
        if not is_one_writer_only or not started_spans.count(ids_of(_sdk_span(span))[0])
    ]


def _allows_one_writer_only(client: Any) -> bool:
    # An evaluation reads its traces at once and cannot wait for the exporter.
    return client.tracking_uri.startswith("databricks") and not is_evaluation()


def _span_for_server(span: Any) -> Any:
    """Return the span with its parent in the application's trace.

    It has no token counts if there may be a call of DeepSeek in the trace. A server
    that knows them computes a cost from its own catalogue, and makes it the final cost
    of the trace when the root span ends. Then the costs that the exporter sends later
    do not count. The total of tokens is not computed from the spans of the client.
    """
    sdk_span = _sdk_span(span)
    changes: dict[str, Any] = {}
    parent = started_spans.application_parent(sdk_span)
    if parent is not None:
        changes["parent"] = parent
    attributes = sdk_span.attributes or {}
    if DEEPSEEK_SCOPE in sys.modules and has_usage(attributes):
        changes["attributes"] = without_usage(attributes)
    if not changes:
        return span
    from mlflow.entities import Span

    return Span(replace_span(sdk_span, **changes))


def _sdk_span(span: Any) -> ReadableSpan:
    # A private attribute: MLflow's entity has no public one with the span's context.
    sdk_span: ReadableSpan = span._span  # noqa: SLF001  # see above
    return sdk_span
