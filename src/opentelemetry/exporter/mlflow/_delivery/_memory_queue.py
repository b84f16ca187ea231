"""Requests that wait in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.mlflow._delivery._request_queue import (
    QueuedRequest,
    QueueState,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        EncodedRequest,
        OnDrop,
    )

_DROP_REASON = "the buffer in memory is full"


@dataclass
class _Entry:
    request: EncodedRequest
    attempts: int
    is_claimed: bool = True
    put_time: float = field(default_factory=monotonic)


class _Due(NamedTuple):
    """When an unclaimed request is due (monotonic); 0 for one that did not fail."""

    due: float
    request_id: int


class MemoryQueue:
    """Implements `RequestQueue`. `max_bytes` limits the sum of the bodies."""

    is_persistent = False

    def __init__(self, max_bytes: int, on_drop: OnDrop) -> None:
        self._max_bytes = max_bytes
        self._on_drop = on_drop
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._entries: dict[int, _Entry] = {}  # by id, the oldest first
        self._unclaimed: list[_Due] = []  # a heap
        self._ids = count()
        self._byte_count = self._span_count = 0

    def put(self, request: EncodedRequest) -> QueuedRequest:
        with self._lock:
            return self._add(request, attempts=0)

    def take(self, *, is_urgent: bool = False) -> QueuedRequest | None:
        with self._lock:
            first = self._first_due()
            if first is None or not (is_urgent or first.due <= monotonic()):
                return None
            # Another call in the same thread may have changed the heap meanwhile.
            first = heappop(self._unclaimed)
            entry = self._entries[first.request_id]
            entry.is_claimed = True
            return QueuedRequest(first.request_id, entry.request, entry.attempts)

    def release(self, queued: QueuedRequest, *, attempts: int, delay: float) -> None:
        with self._lock:
            if len(queued.request.body) > self._max_bytes:
                # It would only make the others go.
                dropped = self._remove(queued.id).span_count
            else:
                self._entries[queued.id].attempts = attempts
                self._unclaim(queued.id, monotonic() + delay if delay else 0.0)
                dropped = self._drop_oldest()
        if dropped:
            self._on_drop(dropped, _DROP_REASON)

    def replace(self, queued: QueuedRequest, parts: Sequence[EncodedRequest]) -> None:
        with self._lock:
            self._remove(queued.id)
            for part in parts:
                added = self._add(part, attempts=queued.attempts)
                self._unclaim(added.id, due=0.0)

    def seconds_until_due(self) -> float | None:
        with self._lock:
            first = self._first_due()
        return None if first is None else max(first.due - monotonic(), 0.0)

    def state(self) -> QueueState:
        with self._lock:
            oldest = next(iter(self._entries.values()), None)
            age = monotonic() - oldest.put_time if oldest else 0.0
            return QueueState(self._span_count, self._byte_count, age)

    def discard(self) -> int:
        span_count = 0
        while queued := self.take(is_urgent=True):
            self.replace(queued, [])
            span_count += queued.request.span_count
        return span_count

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _first_due(self) -> _Due | None:
        while self._unclaimed and self._unclaimed[0].request_id not in self._entries:
            heappop(self._unclaimed)  # It was dropped.
        return self._unclaimed[0] if self._unclaimed else None

    def _unclaim(self, request_id: int, due: float) -> None:
        self._entries[request_id].is_claimed = False
        heappush(self._unclaimed, _Due(due, request_id))

    def _add(self, request: EncodedRequest, *, attempts: int) -> QueuedRequest:
        request_id = next(self._ids)
        self._entries[request_id] = _Entry(request, attempts)
        self._byte_count += len(request.body)
        self._span_count += request.span_count
        return QueuedRequest(request_id, request, attempts)

    def _remove(self, request_id: int) -> EncodedRequest:
        request = self._entries.pop(request_id).request
        self._byte_count -= len(request.body)
        self._span_count -= request.span_count
        return request

    def _drop_oldest(self) -> int:
        """Return the number of dropped spans. A claimed request is being sent."""
        dropped = 0
        while self._byte_count > self._max_bytes:
            unclaimed = (
                request_id
                for request_id, entry in self._entries.items()
                if not entry.is_claimed
            )
            if (oldest := next(unclaimed, None)) is None:
                break
            dropped += self._remove(oldest).span_count
        return dropped
