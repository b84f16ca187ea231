"""What waits to be the next answer: faults and recorded answers, in order."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ._faults import Fault
    from ._recorded_response import Recorded

Pending: TypeAlias = "Fault | Recorded"


class Queue:
    """First in, first out; each for as many requests as it was put in for."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Pending, int | None]] = deque()
        self._lock = threading.Lock()

    def put(self, pending: Pending, times: int | None) -> None:
        """Add `pending` for `times` requests, or for all that come (None)."""
        with self._lock:
            self._waiting.append((pending, times))

    def take(self) -> Pending | None:
        with self._lock:
            while self._waiting:
                pending, times = self._waiting.popleft()
                if times is None:
                    self._waiting.appendleft((pending, None))
                elif times > 1:
                    self._waiting.appendleft((pending, times - 1))
                if times != 0:
                    return pending
            return None
