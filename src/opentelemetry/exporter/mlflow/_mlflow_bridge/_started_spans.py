"""Counts the spans that start in traces with fluent spans.

`TraceBuffer` compares this number with the number of spans that reached the exporter.
The trace is complete when the two are equal.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

# Each trace takes an id, two numbers and the parents of its MLflow roots.
_MAX_TRACES = 10_000


@dataclass
class _Trace:
    """Spans that started in one trace at or after `start_time` (ns since the epoch).

    `has_local_root`: the root is an application span of this process.
    `parents`: the application span around each root of MLflow's, by the root's span id.
    """

    start_time: int
    count: int = 0
    has_local_root: bool = False
    parents: dict[int, SpanContext] = field(default_factory=dict[int, "SpanContext"])


class StartedSpans:
    """The number of started spans of each trace that holds fluent spans.

    A span that started before the first fluent span, for example a web request around
    it, is not counted, neither here nor when it ends. There is one instance for each
    process because MLflow has one tracer provider for each process.
    """

    def __init__(self) -> None:
        self._reset()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            # The parent process ends the spans that it started.
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._traces: OrderedDict[int, _Trace] = OrderedDict()

    def add_fluent_span(
        self,
        span: ReadableSpan,
        *,
        has_local_root: bool,
        application_parent: SpanContext | None = None,
    ) -> None:
        """Count a fluent span; its trace is counted from now on."""
        trace_id, span_id = ids_of(span)
        with self._lock:
            trace = self._traces.setdefault(trace_id, _Trace(span.start_time or 0))
            self._traces.move_to_end(trace_id)
            if len(self._traces) > _MAX_TRACES:
                self._traces.popitem(last=False)
            trace.count += self.is_counted(span)
            trace.has_local_root |= has_local_root
            if application_parent is not None:
                trace.parents[span_id] = application_parent

    def add_application_span(self, span: ReadableSpan) -> None:
        if self.is_counted(span):  # false for most spans, without taking the lock
            self._change_count(span, 1)

    def remove(self, span: ReadableSpan) -> None:
        """Do not expect `span` at the exporter any more: it was not sampled."""
        if self.is_counted(span):
            self._change_count(span, -1)

    def _change_count(self, span: ReadableSpan, number: int) -> None:
        with self._lock:
            # The trace may have been evicted since is_counted().
            if trace := self._traces.get(ids_of(span)[0]):  # pragma: no branch
                trace.count += number

    def is_counted(self, span: ReadableSpan) -> bool:
        trace = self._traces.get(ids_of(span)[0])
        return trace is not None and (span.start_time or 0) >= trace.start_time

    def count(self, trace_id: int) -> int | None:
        """The number of started spans; None for a trace without fluent spans."""
        trace = self._traces.get(trace_id)
        return trace.count if trace else None

    def has_local_root(self, trace_id: int) -> bool:
        trace = self._traces.get(trace_id)
        return trace is not None and trace.has_local_root

    def application_parent(self, span: ReadableSpan) -> SpanContext | None:
        """The application span around a root of MLflow's, which MLflow does not
        know.
        """
        trace_id, span_id = ids_of(span)
        trace = self._traces.get(trace_id)
        return trace.parents.get(span_id) if trace else None


def ids_of(span: ReadableSpan) -> tuple[int, int]:
    """The trace id and the span id, or zeros for a span without a context."""
    context = span.context
    return (context.trace_id, context.span_id) if context else (0, 0)


started_spans = StartedSpans()
