"""Reads what the program tells MLflow, where the application's spans start and end."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from opentelemetry.exporter.mlflow._fluent_api._last_trace import (
    set_last_active_trace,
)
from opentelemetry.exporter.mlflow._fluent_api._sampling import (
    is_disabled,
    is_fluent_span_sampled,
    is_in_share,
    sampling_override,
    sampling_ratio,
)
from opentelemetry.exporter.mlflow._fluent_api._span_processors import (
    configured_span_processors,
)
from opentelemetry.exporter.mlflow._fluent_api._span_settings import span_settings
from opentelemetry.exporter.mlflow._fluent_api._trace_context import (
    TraceContext,
    read_trace_context,
    with_destination_of_root,
)
from opentelemetry.exporter.mlflow._fluent_api._trace_contexts import trace_contexts
from opentelemetry.exporter.mlflow._mlflow_bridge._autolog_patch import (
    add_autolog_content,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import span_mirror
from opentelemetry.exporter.mlflow._mlflow_bridge._span_selection import is_selected
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import (
    ids_of,
    started_spans,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_MLFLOW = "mlflow.tracing.provider"
_OPERATION = "gen_ai.operation.name"


class ProgramProcessor(SpanProcessor):
    """Belongs to the provider of an exporter. Never raises."""

    def __init__(self) -> None:
        self._has_warned = False

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  # of SpanProcessor
    ) -> None:
        if _MLFLOW not in sys.modules or span_mirror.is_mirror(span):
            return
        if self._call(_is_excluded, span):
            span_settings.exclude(span)
        else:
            self._call(_add_trace_context, span)

    def on_end(self, span: ReadableSpan) -> None:
        if _MLFLOW not in sys.modules or span_mirror.is_mirror(span):
            return
        self._call(_add_span_processors, span)
        self._call(add_autolog_content, span)
        if span_settings.is_excluded(span.context):
            started_spans.remove(span)
        elif _OPERATION in (span.attributes or {}):
            self._call(_set_last_active_trace, span)

    def _call(
        self, function: Callable[[ReadableSpan], object], span: ReadableSpan
    ) -> object:
        try:
            return function(span)
        except Exception:
            if not self._has_warned:
                self._has_warned = True
                _logger.warning(
                    "Something that the program tells MLflow does not count for the "
                    "spans of OpenTelemetry, because this version of MLflow is not "
                    "supported. This is logged once.",
                    exc_info=True,
                )
            return None


def _is_excluded(span: ReadableSpan) -> bool:
    return (
        span_settings.is_excluded(span.parent) or is_disabled() or not _is_sampled(span)
    )


def _is_sampled(span: ReadableSpan) -> bool:
    """The decision for all traces, by the ratio, follows when the span is exported."""
    trace_id, _ = ids_of(span)
    is_sampled = is_fluent_span_sampled()
    if is_sampled is None and (span.parent is None or span.parent.is_remote):
        ratio = sampling_override()
        is_sampled = None if ratio is None else is_in_share(trace_id, ratio)
    if is_sampled:
        trace_contexts.add(trace_id, TraceContext(is_sampled=True))
    return is_sampled is not False


def _add_trace_context(span: ReadableSpan) -> None:
    trace_id, _ = ids_of(span)
    trace_contexts.add(trace_id, read_trace_context())


def _add_span_processors(span: ReadableSpan) -> None:
    span_settings.end(span, configured_span_processors())


def add_fluent_root(span: ReadableSpan) -> None:
    """Add the experiment of a trace that MLflow starts. Never raises."""
    with suppress(Exception):  # MLflow sends the trace, whatever is known of it here.
        trace_id, _ = ids_of(span)
        context = with_destination_of_root(read_trace_context(), span.attributes)
        if context is not None:
            trace_contexts.add(trace_id, context)


def _set_last_active_trace(span: ReadableSpan) -> None:
    trace_id, _ = ids_of(span)
    # MLflow sets its own trace when the root of it ends.
    if started_spans.count(trace_id) is None and is_selected(span, sampling_ratio()):
        set_last_active_trace(trace_id)
