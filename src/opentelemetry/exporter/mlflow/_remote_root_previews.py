"""Question and answer of a trace whose root is in another service.

MLflow's list takes them from a span without a parent, and the state of the trace from
the first such span. The service that knows them has none: its first span has a parent
that another service sends. Once that service's root is there, and has nothing to show,
the span goes as a root for a moment, and then as what it is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.exporter.mlflow._mapping import SPAN_INPUTS, SPAN_OUTPUTS
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._timer import BackgroundTimer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations import TraceInfoReader

# The other service's batch goes within seconds, if it has answered; it is asked for
# after 5, 10, 20 … seconds, until it has had ten minutes.
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 640.0
_MOST_TRACES = 1_000
# As many traces as a server takes in a second, and a program can wait for at its end.
_MOST_AT_ONCE = 100
_PREVIEWS = ("request_preview", "response_preview")


class _Waiting(NamedTuple):
    span: ReadableSpan
    due: float
    pause: float

    @property
    def again(self) -> _Waiting:
        return _Waiting(self.span, self.due + self.pause, 2 * self.pause)


class Previews:
    """Of one exporter; it never raises."""

    def __init__(self, destination: TraceInfoReader) -> None:
        self._destination = destination
        self.forget()

    def forget(self) -> None:
        """In a forked child, too: what the parent sent the parent completes."""
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._shown: list[ReadableSpan] = []
        self._alarm = BackgroundTimer(self._look_again)

    def of(self, spans: Iterable[ReadableSpan]) -> None:
        """Of `spans`, which have arrived, those that know a question or an answer."""
        with self._lock:
            due = monotonic() + _FIRST_PAUSE
            for span in spans:
                if span.context and _says_what_a_root_does_not(span):
                    waiting = _Waiting(span, due, _FIRST_PAUSE)
                    self._waiting.setdefault(span.context.trace_id, waiting)
                    if len(self._waiting) > _MOST_TRACES:
                        self._waiting.popitem(last=False)
            self._watch_the_clock()

    def close(self) -> None:
        """Looks a last time; what has no root by then is not waited for."""
        self._look(at_once=True)
        with self._lock:
            self._waiting.clear()
            self._alarm.cancel()

    def _look(self, *, at_once: bool = False) -> None:
        lacking: list[ReadableSpan] = []
        with self._looking:
            for trace_id, one in self._due(at_once=at_once):
                row = self._listed(trace_id)
                is_over = row is not None and row.get("state") in ("OK", "ERROR")
                with self._lock:
                    if is_over or one.pause >= _LONGEST_PAUSE:
                        self._waiting.pop(trace_id, None)
                    else:
                        self._waiting[trace_id] = one.again
                if row is None:  # nor is there an answer for the others
                    break
                if is_over and not all(row.get(name) for name in _PREVIEWS):
                    lacking.append(one.span)
            self._show(lacking)

    def _due(self, *, at_once: bool) -> list[tuple[int, _Waiting]]:
        now = monotonic()
        with self._lock:
            return [
                (trace_id, one)
                for trace_id, one in self._waiting.items()
                if at_once or one.due <= now
            ][:_MOST_AT_ONCE]

    def _listed(self, trace_id: int) -> Mapping[str, Any] | None:
        """None: there is no answer."""
        try:
            return self._destination.read_trace_info(trace_id) or {}
        except ExportError:
            return None

    def _show(self, spans: list[ReadableSpan]) -> None:
        with suppress(ExportError):
            if spans:
                self._shown += spans
                self._destination.send(
                    [replace_span(span, parent=None) for span in spans]
                )
            if self._shown:
                self._destination.send(self._shown)
                self._shown = []

    def _look_again(self) -> None:
        self._look()
        with self._lock:
            self._watch_the_clock()

    def _watch_the_clock(self) -> None:
        if self._waiting:
            self._alarm.set(_FIRST_PAUSE)


def _says_what_a_root_does_not(span: ReadableSpan) -> bool:
    attributes = span.attributes or {}
    says = attributes.get(SPAN_INPUTS) or attributes.get(SPAN_OUTPUTS)
    return bool(says and span.parent and span.parent.is_remote)
