"""Signals that arrive while a process forks."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.instrumentation.exit_flush._default_action import DefaultAction


class ForkSignalMask:
    """Blocks the signals of a DefaultAction during a fork.

    A new child forgets the signals for which Python has to call a handler. A pool that
    terminates its workers just after it has started them would wait for them forever:
    without the mask nearly every signal in the first milliseconds is lost.
    https://github.com/python/cpython/blob/v3.13.0/Modules/signalmodule.c#L1935
    """

    def __init__(self, default_action: DefaultAction) -> None:
        self._default_action = default_action
        self._thread_state = threading.local()
        self._is_registered = False

    def install(self) -> None:
        if not self._is_registered and hasattr(os, "register_at_fork"):
            # Only once in a process: Python cannot remove these functions.
            self._is_registered = True
            self._has_last_hook = False
            os.register_at_fork(
                before=self._block,
                after_in_parent=self._unblock,
                after_in_child=self._unblock_in_child,
            )

    def _block(self) -> None:
        if sys.platform == "win32":  # pragma: no cover  # not called there
            return
        if not self._has_last_hook:
            # Now, and not in `install`: it has to follow the functions of processors
            # and exporters, which reset the state of their parent.
            self._has_last_hook = True
            os.register_at_fork(after_in_child=self._default_action.continue_child)
        self._thread_state.mask = signal.pthread_sigmask(
            signal.SIG_BLOCK, self._default_action.signals
        )

    def _unblock(self) -> None:
        if sys.platform == "win32":  # pragma: no cover  # not called there
            return
        # A library in C may fork without calling `_block`.
        mask = self._thread_state.__dict__.pop("mask", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _unblock_in_child(self) -> None:
        # Threads that the next functions start must not inherit the mask.
        self._default_action.begin_child()
        self._unblock()
