"""Faults and recorded responses that are queued to replace the normal response."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ._faults import Fault
    from ._recorded_response import RecordedResponse

Override: TypeAlias = "Fault | RecordedResponse"


class OverrideQueue:
    """A thread-safe FIFO queue in which each override serves a number of requests."""

    def __init__(self) -> None:
        self._overrides: deque[tuple[Override, int | None]] = deque()
        self._lock = threading.Lock()

    def put(self, override: Override, times: int | None) -> None:
        """Adds `override` for `times` requests; None means every later request."""
        with self._lock:
            self._overrides.append((override, times))

    def take(self) -> Override | None:
        """Returns the override for the next request, or None if the queue is empty."""
        with self._lock:
            while self._overrides:
                override, times = self._overrides.popleft()
                if times is None:
                    self._overrides.appendleft((override, None))
                elif times > 1:
                    self._overrides.appendleft((override, times - 1))
                if times != 0:
                    return override
            return None
