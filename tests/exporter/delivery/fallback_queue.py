"""A queue in memory, to which a spool falls back."""

from __future__ import annotations

import time

from opentelemetry.exporter.mlflow._delivery._request_queue import (
    QueuedRequest,
    QueueState,
)


class FallbackQueue:
    """Implements `RequestQueue` without a limit."""

    is_persistent = False

    def __init__(self):
        self._next_id = 1
        self.is_closed = False
        self.after_fork()

    def discard(self):
        count = self.state().span_count
        self._entries.clear()
        return count

    def put(self, request):
        return self._add(request, time.time(), 0, is_claimed=True)

    def _add(self, request, created, attempts, *, is_claimed):
        queued = QueuedRequest(self._next_id, request, attempts)
        self._next_id += 1
        self._entries[queued.id] = [queued, created, 0.0, is_claimed]
        return queued

    def take(self, *, is_urgent=False):
        for entry in self._entries.values():
            queued, _, due, is_claimed = entry
            if not is_claimed and (is_urgent or due <= time.time()):
                entry[3] = True
                return queued
        return None

    def release(self, queued, *, attempts, delay):
        entry = self._entries[queued.id]
        entry[0] = QueuedRequest(queued.id, queued.request, attempts)
        entry[2:] = time.time() + delay, False

    def replace(self, queued, parts):
        _, created, _, _ = self._entries.pop(queued.id)
        for part in parts:
            self._add(part, created, queued.attempts, is_claimed=False)

    def seconds_until_due(self):
        return min(
            (
                max(due - time.time(), 0)
                for _, _, due, is_claimed in self._entries.values()
                if not is_claimed
            ),
            default=None,
        )

    def state(self):
        requests = [queued.request for queued, *_ in self._entries.values()]
        return QueueState(
            sum(request.span_count for request in requests),
            sum(len(request.body) for request in requests),
            max(
                (time.time() - entry[1] for entry in self._entries.values()), default=0
            ),
        )

    def close(self):
        self.is_closed = True

    def after_fork(self):
        self._entries = {}
