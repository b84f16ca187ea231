"""Counts the exports that run, so that a shutdown can wait for their end."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

_MAX_WAIT_SECONDS = 1.0


class RunningExports(AbstractContextManager[None]):
    """A context manager for one export; exports may run at the same time."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    def __enter__(self) -> None:
        with self._condition:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._count -= 1
            self._condition.notify_all()

    def wait(self) -> None:
        """Wait until no export runs, but at most a second."""
        with self._condition:
            self._condition.wait_for(lambda: not self._count, _MAX_WAIT_SECONDS)
