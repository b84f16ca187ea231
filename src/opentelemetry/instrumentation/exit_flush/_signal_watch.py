"""Signals that arrive just before the main thread waits."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.exit_flush._background_call import BackgroundCall
from opentelemetry.instrumentation.exit_flush._function_wrappers import FunctionWrappers

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.instrumentation.exit_flush._default_action import DefaultAction

_DELAY_SECONDS = 0.05
# The main thread may also execute C code that a signal does not interrupt.
_MAX_SIGNALS = 20

_NO_FD = -1


class SignalWatch:
    """Interrupts the main thread again if it does not call the handler of a signal.

    Python calls a handler between two instructions, or when the signal interrupts a
    system call. A signal that arrives after the last instruction and before the system
    call waits for the end of that call. A worker of a pool waits for its next task
    there, and a pool that terminates it would wait forever. Only processes whose parent
    waits for them need this class.

    https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
    """

    def __init__(self, default_action: DefaultAction) -> None:
        self._default_action = default_action
        self._wrappers = FunctionWrappers()
        self._fds = (_NO_FD, _NO_FD)
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            os.register_at_fork(after_in_child=self.stop)

    def start(self) -> None:
        """Does nothing if the program watches its signals itself, as asyncio does."""
        # Windows ends a process without calling a handler.
        if sys.platform == "win32" or not hasattr(signal, "pthread_kill"):
            return
        if not self._default_action.is_installed or self._fds != (_NO_FD, _NO_FD):
            return
        read_fd, write_fd = self._fds = os.pipe()
        os.set_blocking(write_fd, False)
        previous = signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        if previous != _NO_FD:
            self.stop()
            signal.set_wakeup_fd(previous)
            return
        self._wrappers.add(signal, "set_wakeup_fd", self._on_set_wakeup_fd)
        BackgroundCall(partial(self._watch, read_fd))

    def stop(self) -> None:
        """In a forked child: its signals must not interrupt its parent."""
        read_fd, write_fd = self._fds
        if write_fd != _NO_FD:
            self._wrappers.remove()
            self._fds = (_NO_FD, _NO_FD)
            if (current := signal.set_wakeup_fd(_NO_FD)) != write_fd:
                signal.set_wakeup_fd(current)
            os.close(write_fd)
            os.close(read_fd)

    def _watch(self, read_fd: int) -> None:
        signal_count = 0
        while signal_count < _MAX_SIGNALS and (signum := _read_signal(read_fd)):
            time.sleep(_DELAY_SECONDS)
            if self._default_action.is_delayed(signum):
                signal_count += 1
                # This also writes to the file descriptor.
                if sys.platform != "win32":  # pragma: no branch  # see `start`
                    signal.pthread_kill(threading.main_thread().ident or 0, signum)

    def _on_set_wakeup_fd(
        self, original: Callable[..., int], *args: Any, **kwargs: Any
    ) -> int:
        """Show no file descriptor, as without this library. Trio warns of another."""
        previous = original(*args, **kwargs)
        return _NO_FD if previous == self._fds[1] else previous


def _read_signal(read_fd: int) -> int | None:
    """Return None after the file descriptor was closed."""
    with suppress(OSError):
        return next(iter(os.read(read_fd, 1)), None)
    return None
