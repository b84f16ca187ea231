"""Traces that must reach MLflow whole: those that hold spans of `@mlflow.trace`.

MLflow closes the totals of such a trace when its own root ends. Tokens that come in
two requests, one before and one after, are counted once: the later ones never. So its
spans wait until all that began have come, and go in one request.
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

from opentelemetry.exporter.mlflow._mlflow_bridge._open_spans import begun, trace_id_of
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import of_mlflow
from opentelemetry.exporter.mlflow._timer import BackgroundTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# How many traces are remembered, each by its id and a number.
_MOST_TRACES = 10_000

# What may wait in one exporter: spans, bytes of their text, seconds.
_MOST_SPANS = 10_000
_MOST_BYTES = 64 * 2**20
_LONGEST_WAIT = 600.0


@dataclass
class _Come:
    """How many that count came of a trace, and whether its root here did."""

    number: float = 0
    has_root: bool = False


@dataclass
class _Held:
    since: float
    spans: list[ReadableSpan] = field(default_factory=list["ReadableSpan"])
    bytes: int = 0


class WholeTraces:
    """What one exporter holds back.

    `ready` gives a trace with the last of its spans; `send` takes what waited too long.
    """

    def __init__(self, send: Callable[[list[list[ReadableSpan]]], object]) -> None:
        self._send = WeakMethod(send)
        self._said = False
        self.forget()

    def forget(self) -> None:
        """In a forked child, too: what the parent holds the parent sends."""
        # A handler of the log may end a span, and export it here and now.
        self._lock = threading.RLock()
        self._come: OrderedDict[int, _Come] = OrderedDict()
        self._held: dict[int, _Held] = {}  # the one that waits longest comes first
        self._spans = self._bytes = 0
        self._alarm = BackgroundTimer(self._time_is_up)

    def ready(
        self, spans: Sequence[ReadableSpan], *, all_traces: bool = False
    ) -> list[list[ReadableSpan]]:
        """What can go now; each list is to stay in one request.

        `all_traces` must come whole: one without spans of MLflow's, up to its root.
        """
        result: list[list[ReadableSpan]] = []
        touched: dict[int, None] = {}  # a set in order
        with self._lock:
            for span in spans:
                trace_id = trace_id_of(span)
                if begun.count(trace_id) is None and not all_traces:
                    result.append([span])
                else:
                    touched[trace_id] = None
                    self._hold(trace_id, span)
            result += [
                self._taken(trace_id)
                for trace_id in touched
                if self._is_whole(trace_id)
            ]
            result += self._beyond_bounds()
            while len(self._come) > _MOST_TRACES:
                self._come.popitem(last=False)
            self._watch_the_clock()
        return result

    def all(self) -> list[list[ReadableSpan]]:
        """What still waits. What comes later in these traces will not."""
        with self._lock:
            return [self._given_up(trace_id) for trace_id in list(self._held)]

    def _hold(self, trace_id: int, span: ReadableSpan) -> None:
        come = self._come.setdefault(trace_id, _Come())
        come.number += begun.counts(span)
        come.has_root |= span.parent is None or span.parent.is_remote
        self._come.move_to_end(trace_id)
        if (held := self._held.get(trace_id)) is None:
            held = self._held[trace_id] = _Held(monotonic())
        size = _size(span)
        held.spans.append(span)
        held.bytes += size
        self._spans += 1
        self._bytes += size

    def _is_whole(self, trace_id: int) -> bool:
        count = begun.count(trace_id)
        come = self._come[trace_id]
        if count is None or begun.has_root_here(trace_id):
            return come.has_root and come.number >= (count or 0)
        return come.number >= count

    def _taken(self, trace_id: int) -> list[ReadableSpan]:
        held = self._held.pop(trace_id)
        self._spans -= len(held.spans)
        self._bytes -= held.bytes
        return held.spans

    def _given_up(self, trace_id: int) -> list[ReadableSpan]:
        self._come[trace_id] = _Come(math.inf, has_root=True)
        return self._taken(trace_id)

    def _beyond_bounds(self) -> list[list[ReadableSpan]]:
        result: list[list[ReadableSpan]] = []
        for trace_id, held in list(self._held.items()):
            if (
                self._spans <= _MOST_SPANS
                and self._bytes <= _MOST_BYTES
                and monotonic() - held.since < _LONGEST_WAIT
            ):
                break
            result.append(self._given_up(trace_id))
            self._say_why()
        return result

    def _say_why(self) -> None:
        if not self._said:
            self._said = True
            _logger.warning(
                "A trace with spans of @mlflow.trace goes to MLflow in parts: it is "
                "not over after %d s, or more than %d spans or %d MiB wait. No span "
                "is lost; its totals of tokens and cost may miss the later ones. "
                "(This is said once.)",
                _LONGEST_WAIT,
                _MOST_SPANS,
                _MOST_BYTES // 2**20,
            )

    def _watch_the_clock(self) -> None:
        if oldest := next(iter(self._held.values()), None):
            left = oldest.since + _LONGEST_WAIT - monotonic()
            self._alarm.set(max(left, 0.01))

    def _time_is_up(self) -> None:
        with self._lock:
            overdue = self._beyond_bounds()
            self._watch_the_clock()
        if overdue and (send := self._send()):
            send(overdue)


def _size(span: ReadableSpan) -> int:
    """Roughly, in bytes; with the content that comes with a span of MLflow's."""
    values = ((of_mlflow(span) or span).attributes or {}).values()
    return 1_000 + sum(len(value) for value in values if isinstance(value, str))
