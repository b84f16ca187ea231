"""The flush: in parallel, limited in time, once in a process."""

from __future__ import annotations

import logging
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.exit_flush._background_call import BackgroundCall
from opentelemetry.instrumentation.exit_flush._before_flush import before_flush
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline
from opentelemetry.instrumentation.exit_flush._providers import (
    exporter_force_flushes,
    force_flushes,
    shutdowns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_logger = logging.getLogger("opentelemetry.instrumentation.exit_flush")

# The thread that flushes has this long to log that it did not succeed.
_LOG_SECONDS = 0.2


class ExitFlush:
    """Flushes the global providers. It does not raise, and returns after the limit.

    The flush runs in threads. The thread that ends the process may have been
    interrupted by a signal while it held a lock that the flush needs. Then the limit
    ends the wait. Without threads nothing would.
    """

    def __init__(self) -> None:
        # In seconds; None if the flush is switched off.
        self.timeout: float | None = None
        self.reset()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            # A child has no threads of its parent.
            os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        """Allow another flush, in a process that has not ended."""
        self._lock = threading.Lock()
        self._is_flushed = False
        exit_deadline.reset()

    def run(self, *, is_final: bool) -> None:
        """Flush, or wait for the flush that runs already.

        Args:
            is_final: whether the providers can be shut down, because the process
                executes nothing after the flush.
        """
        if self.timeout is not None:
            exit_deadline.start(self.timeout)
        seconds = exit_deadline.remaining_seconds()
        if self.timeout is None or seconds is None:
            return
        # A signal may interrupt this function and call it again. Only threads take the
        # lock, so neither call waits for the other one without a limit.
        try:
            call = BackgroundCall(partial(self._flush_once, is_final=is_final))
        except RuntimeError:
            # The interpreter shuts down, and so do the providers of the SDK.
            return
        call.wait(seconds + _LOG_SECONDS)

    def _flush_once(self, *, is_final: bool) -> None:
        with self._lock:
            if self._is_flushed:
                return
            self._is_flushed = True
            before_flush.call()
            if is_final:
                is_complete = _call_in_parallel(shutdowns())
            else:
                is_complete = _call_in_parallel(force_flushes()) and _call_in_parallel(
                    exporter_force_flushes()
                )
            if not is_complete:
                _logger.warning(
                    "Telemetry may be lost: the flush at the end of the process did "
                    "not end within %g s.",
                    self.timeout,
                )


def _call_in_parallel(functions: Iterable[Callable[[], object]]) -> bool:
    """Return whether all functions have returned before the deadline."""
    calls = [BackgroundCall(partial(_call, function)) for function in functions]
    return all(call.wait(exit_deadline.remaining_seconds() or 0.0) for call in calls)


def _call(function: Callable[[], object]) -> None:
    try:
        function()
    except Exception:
        # The exporters log what they could not send.
        _logger.debug("A provider could not be flushed", exc_info=True)


exit_flush = ExitFlush()
