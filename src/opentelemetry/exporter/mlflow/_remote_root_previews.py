"""Sends the previews of traces whose root span is in another service.

MLflow's list takes the previews from a span without a parent, and the state of the
trace from the first such span. A service that is called by another one has no span
without a parent: the other service exports the root. When that root has arrived and has
no previews, this module sends the first local span as a root, and then once more with
its parent.
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

# The other service exports its root some seconds after its response. The server is
# asked for it after 5, 10, 20 … seconds, for ten minutes in all.
_FIRST_DELAY_SECONDS = 5.0
_MAX_DELAY_SECONDS = 640.0
_MAX_TRACES = 1_000
# A server answers about as many requests in a second. A program waits for them at exit.
_MAX_TRACES_AT_ONCE = 100
_PREVIEWS = ("request_preview", "response_preview")


class _PendingPreview(NamedTuple):
    """A span with previews, and the time (monotonic) of the next look at its trace."""

    span: ReadableSpan
    due: float
    delay: float

    @property
    def postponed(self) -> _PendingPreview:
        return _PendingPreview(self.span, self.due + self.delay, 2 * self.delay)


class RemoteRootPreviews:
    """The previews of one exporter. Never raises."""

    def __init__(self, destination: TraceInfoReader) -> None:
        self._destination = destination
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the parent's spans in a forked child: the parent completes them."""
        self._lock = threading.RLock()
        self._sending = threading.RLock()
        self._pending: OrderedDict[int, _PendingPreview] = OrderedDict()
        self._sent_as_roots: list[ReadableSpan] = []
        self._timer = BackgroundTimer(self._send_due)

    def add(self, spans: Iterable[ReadableSpan]) -> None:
        """Add those of the delivered `spans` that have inputs or outputs to show."""
        with self._lock:
            due = monotonic() + _FIRST_DELAY_SECONDS
            for span in spans:
                if span.context and _has_previews_for_remote_root(span):
                    pending = _PendingPreview(span, due, _FIRST_DELAY_SECONDS)
                    self._pending.setdefault(span.context.trace_id, pending)
                    if len(self._pending) > _MAX_TRACES:
                        self._pending.popitem(last=False)
            self._start_timer()

    def close(self) -> None:
        """Send what can be sent now, and give the rest up."""
        self._send(all_pending=True)
        with self._lock:
            self._pending.clear()
            self._timer.cancel()

    def _send(self, *, all_pending: bool = False) -> None:
        spans: list[ReadableSpan] = []
        with self._sending:
            for trace_id, pending in self._due(all_pending=all_pending):
                trace_info = self._read_trace_info(trace_id)
                has_ended = trace_info is not None and (
                    trace_info.get("state") in ("OK", "ERROR")
                )
                with self._lock:
                    if has_ended or pending.delay >= _MAX_DELAY_SECONDS:
                        self._pending.pop(trace_id, None)
                    else:
                        self._pending[trace_id] = pending.postponed
                if trace_info is None:  # The next requests would fail, too.
                    break
                if has_ended and not all(map(trace_info.get, _PREVIEWS)):
                    spans.append(pending.span)
            self._send_as_roots(spans)

    def _due(self, *, all_pending: bool) -> list[tuple[int, _PendingPreview]]:
        now = monotonic()
        with self._lock:
            return [
                (trace_id, pending)
                for trace_id, pending in self._pending.items()
                if all_pending or pending.due <= now
            ][:_MAX_TRACES_AT_ONCE]

    def _read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        """Returns {} if there is no such trace, and None if the request fails."""
        try:
            return self._destination.read_trace_info(trace_id) or {}
        except ExportError:
            return None

    def _send_as_roots(self, spans: list[ReadableSpan]) -> None:
        with suppress(ExportError):
            if spans:
                self._sent_as_roots += spans
                self._destination.send(
                    [replace_span(span, parent=None) for span in spans]
                )
            if self._sent_as_roots:
                self._destination.send(self._sent_as_roots)
                self._sent_as_roots = []

    def _send_due(self) -> None:
        self._send()
        with self._lock:
            self._start_timer()

    def _start_timer(self) -> None:
        if self._pending:
            self._timer.start(_FIRST_DELAY_SECONDS)


def _has_previews_for_remote_root(span: ReadableSpan) -> bool:
    attributes = span.attributes or {}
    has_previews = attributes.get(SPAN_INPUTS) or attributes.get(SPAN_OUTPUTS)
    return bool(has_previews and span.parent and span.parent.is_remote)
