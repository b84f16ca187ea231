"""A timer that calls a method from a background thread."""

from __future__ import annotations

import threading
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
        self._timer: threading.Timer | None = None

    def start(self, seconds: float) -> None:
        """Start the timer. A timer that runs already is not changed."""
        if self._timer is not None:
            return
        self._timer = threading.Timer(seconds, self._call)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError:  # no thread can start while the interpreter shuts down
            self._timer = None

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _call(self) -> None:
        self._timer = None
        if method := self._method():
            with suppress_instrumentation():
                method()
