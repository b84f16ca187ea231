"""Counts the exports that run, so that a shutdown can wait for their end."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager


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

    def wait(self, seconds: float) -> bool:
        """Wait until no export runs. Returns False if it takes too long."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._count, seconds)
