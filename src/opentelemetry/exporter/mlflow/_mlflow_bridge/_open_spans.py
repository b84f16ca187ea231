"""What began in traces that hold spans of `@mlflow.trace`, and is still to come."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

# How many traces are remembered, each by its id and two numbers.
_MOST_TRACES = 10_000


@dataclass
class _Trace:
    """Of the spans that began in it since `began`, in ns of the epoch.

    `has_root_here`: it is the application's, and one of MLflow's joined it.
    """

    began: int
    count: int = 0
    has_root_here: bool = False


class Begun:
    """How many spans began in each trace that holds spans of MLflow's.

    What began before, such as a web request around them, is not counted when it comes
    either. One for the process, as MLflow has one tracer provider.
    """

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            # Spans of the parent process end there.
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._traces: OrderedDict[int, _Trace] = OrderedDict()

    def of_mlflow(self, span: ReadableSpan, *, has_root_here: bool) -> None:
        """A span of MLflow's began: its trace is one to wait for."""
        trace_id = trace_id_of(span)
        with self._lock:
            trace = self._traces.setdefault(trace_id, _Trace(span.start_time or 0))
            self._traces.move_to_end(trace_id)
            if len(self._traces) > _MOST_TRACES:
                self._traces.popitem(last=False)
            trace.count += self.counts(span)
            trace.has_root_here |= has_root_here

    def of_application(self, span: ReadableSpan) -> None:
        if self.counts(span):  # most do not, and need no lock
            self._add(span, 1)

    def never_comes(self, span: ReadableSpan) -> None:
        if self.counts(span):
            self._add(span, -1)

    def _add(self, span: ReadableSpan, number: int) -> None:
        with self._lock:
            # It may be gone by now.
            if trace := self._traces.get(trace_id_of(span)):  # pragma: no branch
                trace.count += number

    def counts(self, span: ReadableSpan) -> bool:
        trace = self._traces.get(trace_id_of(span))
        return trace is not None and (span.start_time or 0) >= trace.began

    def count(self, trace_id: int) -> int | None:
        """None for a trace that need not come whole."""
        trace = self._traces.get(trace_id)
        return trace.count if trace else None

    def has_root_here(self, trace_id: int) -> bool:
        trace = self._traces.get(trace_id)
        return trace is not None and trace.has_root_here


def trace_id_of(span: ReadableSpan) -> int:
    return span.context.trace_id if span.context else 0


begun = Begun()
