"""A call in a thread of its own."""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BackgroundCall:
    """Calls a function that does not raise, in a thread that does not delay the exit.

    A handler of a signal can use it. `threading.Thread` and its `join` take locks that
    the interrupted code may hold.

    Raises RuntimeError in the constructor if no thread can start. Since Python 3.12
    none can while the interpreter shuts down.
    """

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._running = _thread.allocate_lock()
        self._running.acquire()  # released in the thread
        _thread.start_new_thread(self._run, ())

    def wait(self, seconds: float) -> bool:
        """Return whether the function has returned after this time at the latest."""
        is_done = self._running.acquire(timeout=min(seconds, _thread.TIMEOUT_MAX))
        if is_done:
            self._running.release()
        return is_done

    # Coverage.py on Python 3.11 does not see this thread.
    def _run(self) -> None:  # pragma: no cover
        try:
            self._function()
        finally:
            self._running.release()
