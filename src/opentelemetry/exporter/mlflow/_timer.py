"""A timer that calls a method from a background thread."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakMethod

from opentelemetry.instrumentation.utils import suppress_instrumentation

if TYPE_CHECKING:
    from collections.abc import Callable


class BackgroundTimer:
    """Calls a bound method once after a delay.

    It does not keep the object of the method alive, and it does not delay the end of
    the program.
    """

    def __init__(self, method: Callable[[], object]) -> None:
        self._method = WeakMethod(method)
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._due = 0.0

    def start(self, seconds: float) -> None:
        """Start the timer. A timer that calls earlier is not changed."""
        due = monotonic() + seconds
        with self._lock:
            if self._timer is not None and self._due <= due:
                return
            timer = threading.Timer(seconds, self._call)
            timer.daemon = True
            replaced, self._timer, self._due = self._timer, timer, due
        if replaced:
            replaced.cancel()
        try:
            # Without the lock, see `BatchTranslator`.
            timer.start()
        except RuntimeError:  # no thread can start while the interpreter shuts down
            self._forget(timer)

    def cancel(self) -> None:
        with self._lock:
            if self._timer:
                self._timer.cancel()

    def _forget(self, timer: threading.Thread) -> None:
        with self._lock:
            if self._timer is timer:
                self._timer = None

    def _call(self) -> None:
        self._forget(threading.current_thread())
        if method := self._method():
            with suppress_instrumentation():
                method()
