"""Adapts what MLflow's own client writes of traces that MlflowSpanExporter also writes.

An MLflow server and a local store keep the last version of a span. There the client's
version gets its parent in the application's trace. Databricks and the oldest servers
keep one file for each trace, or each version of a span. There the client's version
would replace the complete trace or duplicate its spans, so the client does not write
these spans. It does not write the TraceInfo for an old server either: the exporter
repeats what the program has set there.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/client.py
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

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


class Bridge(Protocol):
    """What the patches need of `MlflowBridge`."""

    def is_exported_to(self, tracking_uri: str) -> bool:
        """Whether a MlflowSpanExporter writes to this tracking URI."""
        ...

    def allows_one_writer_only(self, tracking_uri: str) -> bool:
        """Whether it replaces there what others write."""
        ...

    def disable_parenting(self, error: Exception) -> None: ...


def patch_tracing_client(module: ModuleType, bridge: Bridge) -> None:
    """Patch the methods of `TracingClient` that write spans, one of them private.

    `log_spans` does not exist in old versions, which write only whole traces. Raises
    AttributeError if this version of MLflow does not have `_upload_trace_data`.
    """
    patches = _ClientPatches(bridge)
    module.TracingClient._upload_trace_data  # noqa: B018, SLF001  # raises AttributeError
    patch_function_wrapper(module, "TracingClient._upload_trace_data")(
        patches.upload_trace_data
    )
    # The second name is that of version 3.1.
    for name, patch in (
        ("log_spans", patches.log_spans),
        ("start_trace", patches.start_trace),
        ("start_trace_v3", patches.start_trace),
    ):
        if hasattr(module.TracingClient, name):
            patch_function_wrapper(module, f"TracingClient.{name}")(patch)


class _ClientPatches:
    """Wrappers of methods of `TracingClient`."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def log_spans(
        self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        # The name of the first argument is not the same in all versions.
        is_keyword = "spans" in kwargs
        spans = self._spans_to_write(client, kwargs["spans"] if is_keyword else args[1])
        if not spans:
            return spans
        if is_keyword:
            return wrapped(*args, **kwargs | {"spans": spans})
        return wrapped(args[0], spans, *args[2:], **kwargs)

    def start_trace(
        self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        """Write no TraceInfo of a trace whose TraceInfo the exporter writes.

        An old server keeps the last one, and rejects one that lacks an entry of it.
        """
        arguments = [*args, *kwargs.values()]
        try:
            # Version 3.1 passes the whole trace, or the arguments of its second API.
            if len(arguments) == 1 and self._is_written_by_exporter(client, arguments):
                return getattr(arguments[0], "info", arguments[0])
        except Exception as error:  # noqa: BLE001  # MLflow must get its TraceInfo
            self._bridge.disable_parenting(error)
        return wrapped(*args, **kwargs)

    def _is_written_by_exporter(self, client: Any, arguments: Sequence[Any]) -> bool:
        uri = client.tracking_uri
        if (
            uri.startswith("databricks")
            or not self._bridge.is_exported_to(uri)
            or not self._bridge.allows_one_writer_only(uri)
            or is_evaluation()
        ):
            return False
        info = getattr(arguments[0], "info", arguments[0])
        trace_id = int(info.trace_id.removeprefix("tr-"), 16)
        return started_spans.count(trace_id) is not None

    def upload_trace_data(
        self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        data = kwargs["trace_data"] if "trace_data" in kwargs else args[1]
        try:
            spans = data.spans
        except AttributeError as error:
            self._bridge.disable_parenting(error)
        else:
            if spans and not self._spans_to_write(client, spans):
                return None
        return wrapped(*args, **kwargs)

    def _spans_to_write(self, client: Any, spans: Sequence[Any]) -> Sequence[Any]:
        try:
            uri = client.tracking_uri
            if not self._bridge.is_exported_to(uri):
                return spans
            # An evaluation reads its traces at once and cannot wait for the exporter.
            if self._bridge.allows_one_writer_only(uri) and not is_evaluation():
                spans = [span for span in spans if not _is_exported(span)]
            return [_span_for_server(span) for span in spans]
        except Exception as error:  # noqa: BLE001  # MLflow must get its spans
            self._bridge.disable_parenting(error)
            return spans


def _is_exported(span: Any) -> bool:
    return bool(started_spans.count(ids_of(_sdk_span(span))[0]))


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
