"""The default action of signals that end a process, with a flush before it."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.exit_flush._cooperative_threads import (
    are_threads_cooperative,
)
from opentelemetry.instrumentation.exit_flush._function_wrappers import FunctionWrappers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from opentelemetry.instrumentation.exit_flush._flush import ExitFlush

# Process managers often signal a process twice: systemd signals every process of a
# service, and a server forwards the signal to its workers. A second signal within this
# time, in seconds, is the same request.
_SAME_REQUEST_SECONDS = 1.0

_INIT_PROCESS_ID = 1

# The functions without the wrappers below.
_getsignal = signal.getsignal
_raise_signal = signal.raise_signal
_set_signal = signal.signal


class DefaultAction:
    """Takes the place of SIG_DFL, without being seen.

    `signal.signal` and `signal.getsignal` accept and return SIG_DFL where this handler
    is installed. A program that calls the previous handler, restores it or raises the
    signal again, does what it does without this library.
    """

    def __init__(self, flush: ExitFlush) -> None:
        self._flush = flush
        self._wrappers = FunctionWrappers()
        self._signals: frozenset[int] = frozenset()
        self._is_child_starting = False
        self._first_signal_time: float | None = None
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            os.register_at_fork(after_in_child=self._forget_signal)

    @property
    def signals(self) -> frozenset[int]:
        return self._signals

    @property
    def is_installed(self) -> bool:
        return any(_getsignal(signum) == self.handle for signum in self._signals)

    def is_delayed(self, signum: int) -> bool:
        """Whether a signal that the process has received waits for `handle`."""
        return self._first_signal_time is None and _getsignal(signum) == self.handle

    def install(self) -> None:
        """Raises ValueError outside of the main thread of the main interpreter."""
        signals = {signal.SIGTERM}
        if hasattr(signal, "SIGHUP"):  # pragma: no branch  # not on Windows
            signals.add(signal.SIGHUP)
        # If the program sets SIG_DFL for SIGINT later, it stays. Programs do so to let
        # Ctrl-C end them while they execute C code, for example the event loop of Qt. A
        # handler in Python would have to wait for the end of that code.
        if _getsignal(signal.SIGINT) is signal.SIG_DFL:
            signals.add(signal.SIGINT)
        for signum in signals:
            if _getsignal(signum) is signal.SIG_DFL:
                _set_signal(signum, self.handle)
        self._signals = frozenset(signals)

    def wrap_functions(self) -> None:
        self._wrappers.add(signal, "signal", self._on_set_signal)
        self._wrappers.add(signal, "getsignal", self._on_getsignal)
        self._wrappers.add(signal, "raise_signal", self._on_raise_signal)
        self._wrappers.add(os, "kill", self._on_kill)

    def remove(self) -> None:
        """Raises ValueError like `install`."""
        self._wrappers.remove()
        signals, self._signals = self._signals, frozenset()
        for signum in signals:
            if _getsignal(signum) == self.handle:
                _set_signal(signum, signal.SIG_DFL)

    def handle(self, signum: int, _frame: FrameType | None = None) -> None:
        """The handler that is installed."""
        if self._first_signal_time is None:
            self._first_signal_time = time.monotonic()
            if are_threads_cooperative():
                # The signal may have interrupted the event loop, which has to execute
                # the threads of the flush. This function must not wait.
                _thread.start_new_thread(self._flush_and_end, (signum,))
            else:
                self._flush_and_end(signum)
        elif time.monotonic() - self._first_signal_time > _SAME_REQUEST_SECONDS:
            self._end(signum)

    def _flush_and_end(self, signum: int) -> None:
        try:
            self._flush_once()
        finally:
            # Also if the handler of another signal raises, for example that of Ctrl-C.
            self._end(signum)

    def _flush_once(self) -> None:
        # A child that has only just been forked has no telemetry of its own.
        if not self._is_child_starting:
            # The kernel ignores the default action for the first process of a
            # container. It continues.
            self._flush.run(is_final=os.getpid() != _INIT_PROCESS_ID)

    def _end(self, signum: int) -> None:
        _set_signal(signum, signal.SIG_DFL)
        if sys.platform != "win32" and hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signum})
        _raise_signal(signum)
        # Only the first process of a container gets here.
        self._flush.reset()
        self._first_signal_time = None
        _set_signal(signum, self.handle)

    def begin_child(self) -> None:
        """A forked child still has a state of its parent, until `continue_child`."""
        self._is_child_starting = True

    def continue_child(self) -> None:
        self._is_child_starting = False

    def _forget_signal(self) -> None:
        self._first_signal_time = None

    def _on_set_signal(
        self, original: Callable[..., Any], signalnum: int, handler: Any
    ) -> Any:
        if signalnum in self._signals and _is_default(handler):
            handler = self.handle
        return self._visible(original(signalnum, handler))

    def _on_getsignal(self, original: Callable[..., Any], signalnum: int) -> Any:
        return self._visible(original(signalnum))

    def _visible(self, handler: Any) -> Any:
        return signal.SIG_DFL if handler == self.handle else handler

    def _on_raise_signal(self, original: Callable[..., Any], signalnum: int) -> None:
        self._before_own_signal(signalnum)
        original(signalnum)

    def _on_kill(self, original: Callable[..., Any], pid: int, signalnum: int) -> None:
        if pid == os.getpid():
            self._before_own_signal(signalnum)
        original(pid, signalnum)

    def _before_own_signal(self, signum: int) -> None:
        """Flush if a signal that the process sends to itself ends it at once."""
        if signum == signal.SIGINT and _is_default(_getsignal(signum)):
            self._flush_once()


def _is_default(handler: Any) -> bool:
    return isinstance(handler, int) and handler == signal.SIG_DFL
