"""Ends the spans of streams that are still open when the process ends."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING
from weakref import WeakSet

from opentelemetry.instrumentation.exit_flush._before_flush import before_flush

if TYPE_CHECKING:
    from ._observer import InvocationObserver


class OpenStreams:
    """The invocations whose response the application may still read.

    A dropped stream ends its span when it is freed. A stream that a global variable or
    the traceback of an unhandled exception still references is freed only after the
    tracer provider has shut down, so its span would be lost. This class holds weak
    references: it keeps no stream alive.
    """

    def __init__(self) -> None:
        self._process_id: int | None = None

    def add(self, invocation: InvocationObserver) -> None:
        if self._process_id != (process_id := os.getpid()):
            # A forked child must not end the spans of its parent.
            self._invocations: WeakSet[InvocationObserver] = WeakSet()
            self._process_id = process_id
            # Handlers run in reverse order of their registration. The provider of this
            # invocation has registered its shutdown before, so it still records spans
            # when this handler runs.
            atexit.unregister(self._end_spans)
            atexit.register(self._end_spans)
            # For an end by a signal, or of a worker process.
            before_flush.register(self._end_spans)
        self._invocations.add(invocation)

    def _end_spans(self) -> None:
        if self._process_id == os.getpid():
            for invocation in list(self._invocations):
                invocation.on_stream_dropped()
