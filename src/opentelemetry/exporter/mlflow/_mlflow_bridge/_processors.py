"""Span processors of the bridge: one on MLflow's provider, one on the application's."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Protocol

from opentelemetry.sdk.trace import SpanProcessor

from opentelemetry.exporter.mlflow._mlflow_bridge._call_responses import (
    call_responses,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._exit_flush import (
    start_mlflow_export_threads,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import current_span
from opentelemetry.exporter.mlflow._mlflow_bridge._program_processor import (
    add_fluent_root,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import span_mirror
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import started_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import TracerProvider

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class Bridge(Protocol):
    """What the processors need of `MlflowBridge`."""

    @property
    def is_active(self) -> bool: ...
    @property
    def application_provider(self) -> TracerProvider: ...
    @property
    def exporters(self) -> Sequence[SpanExporter]: ...
    def attach_to_application(self) -> bool: ...
    def current_application_span(self) -> Span | None: ...


class MlflowProviderProcessor(SpanProcessor):
    """Counts and mirrors the spans of MLflow's provider.

    It never raises because MLflow does not catch exceptions of span processors.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._has_started_threads = False

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  # of SpanProcessor
    ) -> None:
        if not self._bridge.is_active or not self._bridge.attach_to_application():
            return
        is_root = span.parent is None
        application_span = (
            self._bridge.current_application_span()
            if span.parent is None or span.parent.is_remote
            else None
        )
        parent = (
            None if application_span is None else application_span.get_span_context()
        )
        has_local_root = (
            parent is not None and parent.trace_id == span.get_span_context().trace_id
        )
        if is_root:
            add_fluent_root(span)
        if is_root and not has_local_root:
            current = current_span().get_span_context()
            if current.is_valid:
                span.add_link(current)
        started_spans.add_fluent_span(
            span,
            has_local_root=has_local_root,
            application_parent=parent if is_root and has_local_root else None,
        )

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not self._bridge.is_active:
            return
        try:
            is_mirrored = span_mirror.add(
                span,
                self._bridge.application_provider,
                has_local_root=started_spans.has_local_root(span.context.trace_id),
            )
        except Exception:
            is_mirrored = False
            _logger.exception("Cannot mirror a span of @mlflow.trace to other backends")
        if not is_mirrored:
            started_spans.remove(span)
        if not self._has_started_threads and (
            module := sys.modules.get("mlflow.tracing.provider")
        ):
            self._has_started_threads = True
            start_mlflow_export_threads(module)

    def shutdown(self) -> None:
        """Does nothing: MLflow also shuts its provider down to change settings."""


class ApplicationProviderProcessor(SpanProcessor):
    """Counts the spans of the application's provider, and flushes the exporters."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  # of SpanProcessor
    ) -> None:
        is_sampled = span.get_span_context().trace_flags.sampled
        if is_sampled and not span_mirror.is_mirror(span):
            started_spans.add_application_span(span)

    def on_end(self, span: ReadableSpan) -> None:
        call_responses.add(span)
        span_mirror.release_with(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        # The SDK's processors do not forward force_flush() to their exporters.
        results = [
            exporter.force_flush(timeout_millis) for exporter in self._bridge.exporters
        ]
        return all(results)
