"""Roots of MLflow's beneath a span of the application's, say a web request.

MLflow begins a trace of its own there. It needs its root: with that it ends a trace,
and sends name, previews, tags, session and run. So the root stays one for MLflow, in
the application's trace, and has its parent wherever it is sent. MLflow keeps one root
for a trace id: while it has that, the next one is no root for it either.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    get_current_span,
    set_span_in_context,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.trace import SpanContext
    from typing_extensions import Self

    Beneath = Callable[[], Span | None]


class TraceId(int):
    """The id of the application's trace, with the span that MLflow's root is beneath.

    The spans beneath have it from their root, and let it go with the last of them.
    """

    around: SpanContext

    @classmethod
    def of(cls, around: SpanContext) -> Self:
        made = cls(around.trace_id)
        made.around = around
        return made


def around(span: ReadableSpan) -> SpanContext | None:
    """The parent of a root of MLflow's that it does not know of."""
    if span.context is None or span.parent is not None:
        return None
    trace_id = span.context.trace_id
    return trace_id.around if isinstance(trace_id, TraceId) else None


class TraceIds(IdGenerator):
    """For roots of MLflow's. `beneath` gives the application's span, or None."""

    def __init__(self, otherwise: IdGenerator, beneath: Beneath) -> None:
        self._otherwise = otherwise
        self._beneath = beneath

    def generate_span_id(self) -> int:
        return self._otherwise.generate_span_id()

    def generate_trace_id(self) -> int:
        found = self._beneath()
        if found is None:
            return self._otherwise.generate_trace_id()
        return TraceId.of(found.get_span_context())

    def is_trace_id_random(self) -> bool:
        return self._otherwise.is_trace_id_random()


def enter(stack: ExitStack, beneath: Span) -> None:
    """Makes it MLflow's current span, too, where MLflow has a root of its trace."""
    manager = sys.modules["mlflow.tracing.trace_manager"].InMemoryTraceManager
    own = sys.modules["mlflow.tracing.provider"].mlflow_runtime_context
    context, traces = beneath.get_span_context(), manager.get_instance()
    trace_id = traces.get_mlflow_trace_id_from_otel_id(context.trace_id)
    if trace_id is None:
        return
    # While the manager shows a trace to somebody, nobody takes it out.
    kept = stack.enter_context(traces.get_trace(trace_id))
    before = own.get_current()
    if kept is not None and not _is_within(get_current_span(before), beneath):
        token = own.attach(set_span_in_context(NonRecordingSpan(context), before))
        stack.callback(own.detach, token)


def _is_within(current: Any, beneath: Span) -> bool:
    """Both are current, each in a context of its own: the later one is the inner."""
    started = getattr(current, "start_time", None)
    return started is not None and started >= (beneath.start_time or 0)


def is_evaluated() -> bool:
    """Whether `mlflow.genai.evaluate` runs here, which takes a trace for each row."""
    module = sys.modules.get("mlflow.pyfunc.context")
    prediction = module and module.get_prediction_context()
    return bool(prediction and prediction.is_evaluate)
