"""Limits how long a request waits for its response.

The timeout of `requests` limits each read of a socket. A server that sends a byte now
and then, or a program that ends while a request waits, needs a limit for the whole.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.exporter.mlflow._destinations._request_threads import (
    request_threads,
)
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future

T = TypeVar("T")

_POLL_SECONDS = 0.1
_MAX_LATE_CALLS = 8


class ExitClock:
    """Limits the time for requests while the process ends.

    All of them together wait some seconds for a server that accepts nothing. When the
    interpreter ends, each success restarts the clock. When a signal ends the process,
    the time is fixed.
    """

    def __init__(self) -> None:
        self.restart()

    @property
    def timeout(self) -> float:
        """How long the end waits in seconds, if nothing succeeds."""
        return exit_deadline.timeout

    def restart(self) -> None:
        self._start: float | None = None

    def remaining_seconds(self) -> float | None:
        """Return None if the process does not end."""
        if (remaining := exit_deadline.remaining_seconds()) is not None:
            return remaining
        # The main thread ends before `atexit` shuts the tracer provider down.
        if threading.main_thread().is_alive():
            return None
        now = time.monotonic()
        if self._start is None:
            self._start = now
        return max(self._start + self.timeout - now, 0.0)


exit_clock = ExitClock()


_export_deadline: ContextVar[float | None] = ContextVar(
    "mlflow_export_deadline", default=None
)


@contextmanager
def export_deadline(seconds: float) -> Generator[None]:
    """Limit the time of all requests in this context together."""
    token = _export_deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _export_deadline.reset(token)


def request_timeout(timeout: float) -> float:
    """Return the seconds that are left for a request, at most `timeout`."""
    seconds = [timeout]
    if (deadline := _export_deadline.get()) is not None:
        seconds.append(deadline - time.monotonic())
    if (remaining := exit_clock.remaining_seconds()) is not None:
        seconds.append(remaining)
    return max(min(seconds), 0.0)


class DeadlineCaller:
    """Calls functions that wait for a server, in other threads, for a limited time.

    A call that takes longer goes on, for example because the server sends a byte now
    and then. If some calls of this object do so, no other call is made.
    """

    def __init__(self) -> None:
        self._late_calls: list[Future[Any]] = []
        request_threads.start()

    def call(
        self, function: Callable[[], T], seconds: float, is_closed: Callable[[], bool]
    ) -> T:
        """Return what the function returns, or raise what it raises.

        Raises TimeoutError if it takes longer than `seconds`, or than the end of the
        process allows, or if `is_closed` returns True.
        """
        self._late_calls = [call for call in self._late_calls if not call.done()]
        if is_closed() or not seconds or len(self._late_calls) >= _MAX_LATE_CALLS:
            raise TimeoutError
        start = time.monotonic()
        try:
            future = request_threads.call(function)
        except RuntimeError:
            # Since Python 3.12 no thread can start while the interpreter shuts down.
            return function()
        while not wait([future], timeout=_POLL_SECONDS).done:
            if (
                time.monotonic() - start > seconds
                or is_closed()
                or exit_clock.remaining_seconds() == 0
            ):
                self._late_calls.append(future)
                raise TimeoutError
        return future.result()
