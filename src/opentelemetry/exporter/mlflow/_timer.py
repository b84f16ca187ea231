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
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._due = 0.0

    def start(self, seconds: float) -> None:
        """Start the timer. A timer that calls earlier is not changed."""
        due = monotonic() + seconds
        with self._lock:
            if self._timer is not None:
                if self._due <= due:
                    return
                self._timer.cancel()
            self._due = due
            self._timer = threading.Timer(seconds, self._call)
            self._timer.daemon = True
            try:
                self._timer.start()
            except RuntimeError:  # no thread can start while the interpreter shuts down
                self._timer = None

    def cancel(self) -> None:
        with self._lock:
            if self._timer:
                self._timer.cancel()

    def _call(self) -> None:
        with self._lock:
            # A timer that was replaced too late calls the method, too.
            self._timer = None
        if method := self._method():
            with suppress_instrumentation():
                method()
