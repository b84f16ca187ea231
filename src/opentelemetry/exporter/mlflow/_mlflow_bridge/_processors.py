"""What sees spans begin and end: on MLflow's provider, and on the application's."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Protocol

from opentelemetry.sdk.trace import SpanProcessor

from opentelemetry import trace
from opentelemetry.exporter.mlflow._mlflow_bridge._exit_flush import see_to_them
from opentelemetry.exporter.mlflow._mlflow_bridge._open_spans import begun
from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import TraceId
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import SpanId, make_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import TracerProvider

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class Tree(Protocol):
    """What they have to know of the whole; see `_tree`."""

    @property
    def is_on(self) -> bool: ...
    @property
    def provider(self) -> TracerProvider: ...
    @property
    def exporters(self) -> Sequence[SpanExporter]: ...
    def watch(self) -> bool: ...
    def around(self) -> Span | None: ...


class OfMlflow(SpanProcessor):
    """On MLflow's provider. It never raises: MLflow does not catch what it would."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._is_ready = False

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  # the SDK's
    ) -> None:
        if not self._tree.is_on or not self._tree.watch():
            return
        own, parent = span.get_span_context(), span.parent
        if parent is None:
            has_root_here = isinstance(own.trace_id, TraceId)
            around = trace.get_current_span().get_span_context()
            if around.is_valid and not has_root_here:
                span.add_link(around)
        else:
            found = self._tree.around() if parent.is_remote else None
            has_root_here = found is not None and (
                found.get_span_context().trace_id == own.trace_id
            )
        begun.of_mlflow(span, has_root_here=has_root_here)

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not self._tree.is_on:
            return
        try:
            is_made = make_again(
                span,
                self._tree.provider,
                has_root_here=begun.has_root_here(span.context.trace_id),
            )
        except Exception:
            is_made = False
            _logger.exception("A span of @mlflow.trace does not reach other backends")
        if not is_made:
            begun.never_comes(span)
        if not self._is_ready and (
            module := sys.modules.get("mlflow.tracing.provider")
        ):
            self._is_ready = True
            see_to_them(module)

    def shutdown(self) -> None:
        """MLflow's end, or a change of its settings, is not the application's."""


class OfApplication(SpanProcessor):
    """On the application's provider."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  # the SDK's
    ) -> None:
        own = span.get_span_context()
        if own.trace_flags.sampled and not isinstance(own.span_id, SpanId):
            begun.of_application(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        # The SDK's processors do not hand it on to their exporters.
        flushed = [one.force_flush(timeout_millis) for one in self._tree.exporters]
        return all(flushed)
