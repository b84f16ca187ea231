"""A call in some time, from a thread that holds nobody up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakMethod

from opentelemetry.instrumentation.utils import suppress_instrumentation

if TYPE_CHECKING:
    from collections.abc import Callable


class BackgroundTimer:
    """Calls `method`, which it does not keep alive, and nor does it the program."""

    def __init__(self, method: Callable[[], object]) -> None:
        self._method = WeakMethod(method)
        self._timer: threading.Timer | None = None

    def start(self, seconds: float) -> None:
        """Once is enough: until it rings it is not set again."""
        if self._timer is not None:
            return
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError:  # the interpreter ends, and starts no thread any more
            self._timer = None

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _ring(self) -> None:
        self._timer = None
        if method := self._method():
            with suppress_instrumentation():
                method()
