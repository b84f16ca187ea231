"""Places fluent root spans beneath the current application span.

MLflow starts a trace of its own there. It needs the root of that trace: when the root
ends, MLflow ends the trace and sends name, previews, tags, session and run. Therefore
the span stays a root for MLflow. It takes the trace id of the application's trace, and
gets its parent wherever it is exported. MLflow keeps one root for each trace id: while
it has that root, it treats the next fluent span of the trace as a child, too.
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

    from opentelemetry.sdk.trace import Span


class ApplicationTraceIdGenerator(IdGenerator):
    """Generates the trace id of the current application span for roots of MLflow's."""

    def __init__(
        self, default: IdGenerator, current_span: Callable[[], Span | None]
    ) -> None:
        self._default = default
        self._current_span = current_span

    def generate_span_id(self) -> int:
        return self._default.generate_span_id()

    def generate_trace_id(self) -> int:
        span = self._current_span()
        if span is None:
            return self._default.generate_trace_id()
        return span.get_span_context().trace_id

    def is_trace_id_random(self) -> bool:
        return self._default.is_trace_id_random()


def activate_in_mlflow(span: Span, stack: ExitStack) -> None:
    """Make `span` MLflow's current span, too, if MLflow has a root of its trace."""
    manager = sys.modules["mlflow.tracing.trace_manager"].InMemoryTraceManager
    mlflow_context = sys.modules["mlflow.tracing.provider"].mlflow_runtime_context
    context, traces = span.get_span_context(), manager.get_instance()
    trace_id = traces.get_mlflow_trace_id_from_otel_id(context.trace_id)
    if trace_id is None:
        return
    # While this context manager is open, no other thread removes the trace.
    trace = stack.enter_context(traces.get_trace(trace_id))
    current = mlflow_context.get_current()
    if trace is not None and not _is_within(get_current_span(current), span):
        token = mlflow_context.attach(
            set_span_in_context(NonRecordingSpan(context), current)
        )
        stack.callback(mlflow_context.detach, token)


def _is_within(mlflow_span: Any, span: Span) -> bool:
    """Whether MLflow's current span is inside `span`.

    Each is current in a context of its own. The one that started later is the inner
    one.
    """
    start_time = getattr(mlflow_span, "start_time", None)
    return start_time is not None and start_time >= (span.start_time or 0)


def is_evaluation() -> bool:
    """Whether `mlflow.genai.evaluate` runs here, which needs one trace for each row."""
    module = sys.modules.get("mlflow.pyfunc.context")
    prediction = module and module.get_prediction_context()
    return bool(prediction and prediction.is_evaluate)
