"""Requests that wait in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._delivery._request_queue import (
    QueuedRequest,
    QueueState,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        EncodedRequest,
        OnDrop,
    )

_DROP_REASON = "the buffer in memory is full"


@dataclass
class _Entry:
    request: EncodedRequest
    attempts: int
    is_claimed: bool
    put_time: float = field(default_factory=monotonic)
    due: float = 0.0


class MemoryQueue:
    """Implements `RequestQueue`. `max_bytes` limits the sum of the bodies."""

    is_persistent = False

    def __init__(self, max_bytes: int, on_drop: OnDrop) -> None:
        self._max_bytes = max_bytes
        self._on_drop = on_drop
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[int, _Entry] = {}  # by id, the oldest first
        self._last_id = 0
        self._byte_count = self._span_count = 0

    def put(self, request: EncodedRequest) -> QueuedRequest:
        with self._lock:
            return self._add(request, attempts=0, is_claimed=True)

    def take(self, *, is_urgent: bool = False) -> QueuedRequest | None:
        now = monotonic()
        with self._lock:
            unclaimed = self._unclaimed()
            item = (
                min(unclaimed, key=lambda item: item[1].due, default=None)
                if is_urgent
                else next((item for item in unclaimed if item[1].due <= now), None)
            )
            if item is None:
                return None
            request_id, entry = item
            entry.is_claimed = True
            return QueuedRequest(request_id, entry.request, entry.attempts)

    def release(self, queued: QueuedRequest, *, attempts: int, delay: float) -> None:
        with self._lock:
            entry = self._entries[queued.id]
            entry.attempts = attempts
            entry.due = monotonic() + delay
            entry.is_claimed = False
            dropped = self._drop_oldest()
        if dropped:
            self._on_drop(dropped, _DROP_REASON)

    def replace(self, queued: QueuedRequest, parts: Sequence[EncodedRequest]) -> None:
        with self._lock:
            self._remove(queued.id)
            for part in parts:
                self._add(part, attempts=queued.attempts, is_claimed=False)

    def seconds_until_due(self) -> float | None:
        now = monotonic()
        with self._lock:
            waits = [entry.due - now for _, entry in self._unclaimed()]
        return max(min(waits), 0.0) if waits else None

    def state(self) -> QueueState:
        with self._lock:
            oldest = next(iter(self._entries.values()), None)
            age = monotonic() - oldest.put_time if oldest else 0.0
            return QueueState(self._span_count, self._byte_count, age)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _unclaimed(self) -> Iterator[tuple[int, _Entry]]:
        return (item for item in self._entries.items() if not item[1].is_claimed)

    def _add(
        self, request: EncodedRequest, *, attempts: int, is_claimed: bool
    ) -> QueuedRequest:
        self._last_id += 1
        self._entries[self._last_id] = _Entry(request, attempts, is_claimed)
        self._byte_count += len(request.body)
        self._span_count += request.span_count
        return QueuedRequest(self._last_id, request, attempts)

    def _remove(self, request_id: int) -> EncodedRequest:
        request = self._entries.pop(request_id).request
        self._byte_count -= len(request.body)
        self._span_count -= request.span_count
        return request

    def _drop_oldest(self) -> int:
        """Return the number of dropped spans. A claimed request is being sent."""
        dropped = 0
        while self._byte_count > self._max_bytes:
            oldest = next(self._unclaimed(), None)
            if oldest is None:
                break
            dropped += self._remove(oldest[0]).span_count
        return dropped
