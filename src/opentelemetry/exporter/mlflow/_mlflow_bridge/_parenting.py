"""Places fluent root spans beneath the current application span.

MLflow starts a trace of its own there. It needs the root of that trace: when the root
ends, MLflow ends the trace and sends name, previews, tags, session and run. Therefore
the span stays a root for MLflow. It takes the trace id of the application's trace, and
gets its parent wherever it is exported. MLflow keeps one root for each trace id: while
it has that root, it treats the next fluent span of the trace as a child, too.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, create_key, detach, get_value, set_value
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from types import ModuleType

    from opentelemetry.sdk.trace import Span


_HIDDEN_SPAN = create_key("span-hidden-from-mlflow")
_ReentrantLock = type(threading.RLock())


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


def current_span() -> OtelSpan:
    """The current span, also while MLflow starts a span and does not see it."""
    span = get_value(_HIDDEN_SPAN)
    return span if isinstance(span, OtelSpan) else get_current_span()


def prepare_mlflow(provider: ModuleType, span: Span | None, stack: ExitStack) -> None:
    """Prepare the start of a span of MLflow's, until `stack` is closed.

    `provider` is the module `mlflow.tracing.provider`, and `span` the application span
    around MLflow's span.
    """
    if not hasattr(provider, "mlflow_runtime_context"):
        if not _shares_provider(provider):
            _hide_unknown_span(stack)
    elif span is not None:
        _activate_in_mlflow(provider, span, stack)


def _hide_unknown_span(stack: ExitStack) -> None:
    """Hide the current span from MLflow unless MLflow has a root of its trace.

    MLflow's context is that of OpenTelemetry. MLflow would record nothing beneath a
    span that it does not know.
    """
    span = get_current_span()
    traces, trace_id = _find_trace(span)
    if trace_id is not None and isinstance(traces._lock, _ReentrantLock):  # noqa: SLF001  # see below
        # While this context manager is open, no other thread removes the trace. It
        # holds the lock that MLflow acquires when a span starts.
        stack.enter_context(traces.get_trace(trace_id))
    if trace_id is None and span.get_span_context().is_valid:
        hidden = set_value(_HIDDEN_SPAN, span, set_span_in_context(INVALID_SPAN))
        stack.callback(detach, attach(hidden))


def _activate_in_mlflow(provider: ModuleType, span: Span, stack: ExitStack) -> None:
    """Make `span` MLflow's current span, too, if MLflow has a root of its trace."""
    mlflow_context = provider.mlflow_runtime_context
    traces, trace_id = _find_trace(span)
    if trace_id is None:
        return
    # While this context manager is open, no other thread removes the trace.
    trace = stack.enter_context(traces.get_trace(trace_id))
    current = mlflow_context.get_current()
    if trace is not None and not _is_within(get_current_span(current), span):
        token = mlflow_context.attach(
            set_span_in_context(NonRecordingSpan(span.get_span_context()), current)
        )
        stack.callback(mlflow_context.detach, token)


def _find_trace(span: OtelSpan) -> tuple[Any, str | None]:
    """MLflow's trace manager, and the id of the trace of `span` if MLflow has it."""
    manager = sys.modules["mlflow.tracing.trace_manager"].InMemoryTraceManager
    traces = manager.get_instance()
    trace_id = span.get_span_context().trace_id
    return traces, traces.get_mlflow_trace_id_from_otel_id(trace_id)


def _shares_provider(provider: ModuleType) -> bool:
    """Whether MLflow uses the application's tracer provider, a setting of the user."""
    setting = getattr(provider, "MLFLOW_USE_DEFAULT_TRACER_PROVIDER", None)
    return setting is not None and not setting.get()


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
