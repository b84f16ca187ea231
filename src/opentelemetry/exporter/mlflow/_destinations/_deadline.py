"""Limits how long a request waits for its response.

The timeout of `requests` limits each read of a socket. A server that sends a byte now
and then, or a program that ends while a request waits, needs a limit for the whole.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_POLL_SECONDS = 0.1


class ExitClock:
    """Limits the time for responses while the program ends.

    All requests together wait as long for a server that does not respond as one request
    does otherwise. Each response restarts the clock.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._start: float | None = None

    @property
    def is_exiting(self) -> bool:
        # The main thread ends before `atexit` shuts the tracer provider down.
        return not threading.main_thread().is_alive()

    def limit(self, timeout: float) -> float:
        """Return the seconds of `timeout` that are left."""
        if not self.is_exiting:
            return timeout
        now = time.monotonic()
        if self._start is None:
            self._start = now
        return max(self._start + timeout - now, 0.0)


exit_clock = ExitClock()


def call_with_deadline(
    function: Callable[[], T], timeout: float, is_closed: Callable[[], bool]
) -> T:
    """Call a function that waits for a server, in a thread of its own.

    Raises TimeoutError if the function takes longer than `timeout` seconds or than the
    end of the program allows, or if `is_closed` returns True.
    """
    future: Future[T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(function))
        except BaseException as error:  # noqa: BLE001  # raised in the calling thread
            future.set_exception(error)

    try:
        threading.Thread(target=run, name="MlflowRequest", daemon=True).start()
    except RuntimeError:
        # Since Python 3.12 no thread can start while the interpreter shuts down.
        return function()
    deadline = time.monotonic() + timeout
    while not wait([future], timeout=_POLL_SECONDS).done:
        if time.monotonic() > deadline or is_closed() or not exit_clock.limit(timeout):
            raise TimeoutError
    return future.result()
