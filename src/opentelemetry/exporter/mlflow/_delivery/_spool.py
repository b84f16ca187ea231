"""A spool: requests that could not be sent wait on disk.

Several threads, processes and programs may use the same folder.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._delivery._request_queue import QueueState
from opentelemetry.exporter.mlflow._delivery._spool_access import SpoolUnavailableError
from opentelemetry.exporter.mlflow._delivery._spooled_requests import (
    SpooledRequest,
    SpooledRequests,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        EncodedRequest,
        OnDrop,
        QueuedRequest,
        RequestQueue,
    )


class Spool:
    """Implements `RequestQueue` with a database in `folder`.

    `take` gives out only requests for `destination`, whoever has put them there. It is
    a function, because an application may select the destination at any time. If
    the database cannot be used, requests wait in `fallback`. `max_bytes` limits the
    bodies of all destinations, and `max_age_seconds` their age. `on_drop` is called
    without a lock.

    A claim ends when its process has ended, or after 60 seconds. The request is then
    due again, so that it may be delivered twice, but is not lost.
    """

    def __init__(
        self,
        folder: str | Path,
        destination: Callable[[], str],
        *,
        max_bytes: int,
        max_age_seconds: float,
        on_drop: OnDrop,
        fallback: RequestQueue,
    ) -> None:
        self._read_destination = destination
        self._max_bytes = max_bytes
        self._fallback = fallback
        self._requests = SpooledRequests(folder, max_bytes, max_age_seconds, on_drop)

    @property
    def destination(self) -> str:
        # A variable of the environment may contain bytes that are not valid Unicode.
        return self._read_destination().encode(errors="backslashreplace").decode()

    @property
    def is_persistent(self) -> bool:
        return self._requests.is_available and not self._fallback.state().span_count

    def put(self, request: EncodedRequest) -> QueuedRequest:
        if len(request.body) > self._max_bytes:
            return self._fallback.put(request)
        try:
            queued = self._requests.put(request, self.destination)
        except SpoolUnavailableError:
            return self._fallback.put(request)
        # Only one, so that a live request does not wait for all.
        self._store_fallback_request()
        return queued

    def take(self, *, is_urgent: bool = False) -> QueuedRequest | None:
        if self._is_fallback_older() and (queued := self._fallback.take()):
            return queued
        with suppress(SpoolUnavailableError):
            if queued := self._requests.take(self.destination, is_urgent=is_urgent):
                return queued
        return self._fallback.take(is_urgent=is_urgent)

    def _is_fallback_older(self) -> bool:
        if self._fallback.seconds_until_due() != 0:
            return False
        age = self._fallback.state().oldest_age
        try:
            return not self._requests.has_due(self.destination, age)
        except SpoolUnavailableError:
            return True

    def release(self, queued: QueuedRequest, *, attempts: int, delay: float) -> None:
        if not isinstance(queued, SpooledRequest):
            self._fallback.release(queued, attempts=attempts, delay=delay)
            return
        try:
            self._requests.release(queued, attempts, delay)
        except SpoolUnavailableError:
            self._move_to_fallback(queued, [queued.request], attempts, delay)

    def replace(self, queued: QueuedRequest, parts: Sequence[EncodedRequest]) -> None:
        if not isinstance(queued, SpooledRequest):
            self._fallback.replace(queued, parts)
            return
        try:
            self._requests.replace(queued, parts)
        except SpoolUnavailableError:
            self._move_to_fallback(queued, parts, queued.attempts, 0)

    def _move_to_fallback(
        self,
        queued: SpooledRequest,
        requests: Sequence[EncodedRequest],
        attempts: int,
        delay: float,
    ) -> None:
        self._requests.remove_later(queued)
        for request in requests:
            self._fallback.release(
                self._fallback.put(request), attempts=attempts, delay=delay
            )

    def _store_fallback_request(self, *, is_urgent: bool = False) -> bool:
        """Move a request from memory to the database. Return whether there was one."""
        created = time.time() - self._fallback.state().oldest_age
        queued = self._fallback.take(is_urgent=is_urgent)
        if queued is None:
            return False
        is_stored = False
        if len(queued.request.body) <= self._max_bytes:
            with suppress(SpoolUnavailableError):
                self._requests.add(
                    queued.request, self.destination, created, queued.attempts
                )
                is_stored = True
        if is_stored:
            self._fallback.replace(queued, [])
        else:
            self._fallback.release(queued, attempts=queued.attempts, delay=0)
        return is_stored

    def seconds_until_due(self) -> float | None:
        delays = [self._fallback.seconds_until_due()]
        with suppress(SpoolUnavailableError):
            delays.append(self._requests.seconds_until_due(self.destination))
        return min((delay for delay in delays if delay is not None), default=None)

    def state(self) -> QueueState:
        states = [self._fallback.state()]
        with suppress(SpoolUnavailableError):
            states.append(self._requests.state(self.destination))
        span_counts, byte_counts, ages = zip(*states, strict=True)
        return QueueState(sum(span_counts), sum(byte_counts), max(ages))

    def discard(self) -> int:
        return self._fallback.discard()

    def close(self) -> None:
        """Give back all claims of this object, and store the requests in memory."""
        while self._store_fallback_request(is_urgent=True):
            pass
        with suppress(SpoolUnavailableError):
            self._requests.release_all()
        self._requests.close()
        self._fallback.close()

    def after_fork(self) -> None:
        self._requests.after_fork()
        self._fallback.after_fork()
