"""Buffers traces that MLflow must receive in one request.

MLflow computes the totals of a trace with spans of `@mlflow.trace` when its own root
span ends. If the spans arrive in two requests, one before and one after that, the
tokens of the second request are never counted. Therefore the spans wait until every
span that started in the trace has arrived.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakMethod

from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import (
    ids_of,
    started_spans,
)
from opentelemetry.exporter.mlflow._timer import BackgroundTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# Each trace takes an id, a number and a boolean.
_MAX_TRACES = 10_000

# Limits of the buffer of one exporter: spans, bytes of their text, seconds.
_MAX_SPANS = 10_000
_MAX_BYTES = 64 * 2**20
_MAX_WAIT_SECONDS = 600.0


@dataclass
class _Arrivals:
    """The counted spans of a trace that have arrived, and whether its root has."""

    count: float = 0
    has_root: bool = False


@dataclass
class _BufferedTrace:
    since: float
    spans: list[ReadableSpan] = field(default_factory=list["ReadableSpan"])
    bytes: int = 0


class TraceBuffer:
    """The buffer of one exporter.

    `add` returns a trace with the last of its spans. `send`, a method of the exporter,
    takes the traces that have waited too long.
    """

    def __init__(self, send: Callable[[list[list[ReadableSpan]]], object]) -> None:
        self._send = WeakMethod(send)
        self._has_warned = False
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the parent's spans in a forked child: the parent sends them."""
        # A log handler may end a span, whose processor may export it at once, in the
        # same thread. The lock must be reentrant.
        self._lock = threading.RLock()
        self._arrivals: OrderedDict[int, _Arrivals] = OrderedDict()
        self._traces: dict[int, _BufferedTrace] = {}  # the oldest first
        self._span_count = self._byte_count = 0
        self._timer = BackgroundTimer(self._send_overdue)

    def add(
        self, spans: Sequence[ReadableSpan], *, buffer_all: bool = False
    ) -> list[list[ReadableSpan]]:
        """Return the spans that can be sent; each list must stay in one request.

        `buffer_all`: the destination needs each trace in one request, also those
        without fluent spans. They are complete when their local root has ended.
        """
        ready: list[list[ReadableSpan]] = []
        changed: dict[int, None] = {}  # an ordered set
        with self._lock:
            for span in spans:
                trace_id, _ = ids_of(span)
                if started_spans.count(trace_id) is None and not buffer_all:
                    ready.append([span])
                else:
                    changed[trace_id] = None
                    self._buffer(trace_id, span)
            ready += [
                self._pop(trace_id)
                for trace_id in changed
                if self._is_complete(trace_id)
            ]
            ready += self._pop_overdue()
            while len(self._arrivals) > _MAX_TRACES:
                self._arrivals.popitem(last=False)
            self._start_timer()
        return ready

    def pop_all(self) -> list[list[ReadableSpan]]:
        """Return all buffered spans. Later spans of these traces are not buffered."""
        with self._lock:
            return [self._pop_incomplete(trace_id) for trace_id in list(self._traces)]

    def _buffer(self, trace_id: int, span: ReadableSpan) -> None:
        arrivals = self._arrivals.setdefault(trace_id, _Arrivals())
        arrivals.count += started_spans.is_counted(span)
        arrivals.has_root |= span.parent is None or span.parent.is_remote
        self._arrivals.move_to_end(trace_id)
        if (trace := self._traces.get(trace_id)) is None:
            trace = self._traces[trace_id] = _BufferedTrace(monotonic())
        size = _size(span)
        trace.spans.append(span)
        trace.bytes += size
        self._span_count += 1
        self._byte_count += size

    def _is_complete(self, trace_id: int) -> bool:
        started = started_spans.count(trace_id)
        arrivals = self._arrivals[trace_id]
        if started is None or started_spans.has_local_root(trace_id):
            return arrivals.has_root and arrivals.count >= (started or 0)
        return arrivals.count >= started

    def _pop(self, trace_id: int) -> list[ReadableSpan]:
        trace = self._traces.pop(trace_id)
        self._span_count -= len(trace.spans)
        self._byte_count -= trace.bytes
        return trace.spans

    def _pop_incomplete(self, trace_id: int) -> list[ReadableSpan]:
        self._arrivals[trace_id] = _Arrivals(math.inf, has_root=True)
        return self._pop(trace_id)

    def _pop_overdue(self) -> list[list[ReadableSpan]]:
        overdue: list[list[ReadableSpan]] = []
        for trace_id, trace in list(self._traces.items()):
            if (
                self._span_count <= _MAX_SPANS
                and self._byte_count <= _MAX_BYTES
                and monotonic() - trace.since < _MAX_WAIT_SECONDS
            ):
                break
            overdue.append(self._pop_incomplete(trace_id))
            self._warn_once()
        return overdue

    def _warn_once(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            _logger.warning(
                "A trace with spans of @mlflow.trace is sent to MLflow in parts: it "
                "did not end within %d s, or more than %d spans or %d MiB are "
                "buffered. No span is lost. The totals of tokens and cost may be "
                "incomplete. This warning is logged once.",
                _MAX_WAIT_SECONDS,
                _MAX_SPANS,
                _MAX_BYTES // 2**20,
            )

    def _start_timer(self) -> None:
        if oldest := next(iter(self._traces.values()), None):
            seconds = oldest.since + _MAX_WAIT_SECONDS - monotonic()
            self._timer.start(max(seconds, 0.01))

    def _send_overdue(self) -> None:
        with self._lock:
            overdue = self._pop_overdue()
            self._start_timer()
        if overdue and (send := self._send()):
            send(overdue)


def _size(span: ReadableSpan) -> int:
    """An estimate in bytes."""
    values = (span.attributes or {}).values()
    return 1_000 + sum(len(value) for value in values if isinstance(value, str))
