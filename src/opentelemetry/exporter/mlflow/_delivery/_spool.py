"""A spool: requests that could not be sent wait on disk.

Several threads, processes and programs may use the same folder.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from opentelemetry.exporter.mlflow._delivery._request_queue import (
    QueuedRequest,
    QueueState,
)
from opentelemetry.exporter.mlflow._delivery._spool_access import (
    SpoolAccess,
    SpoolUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        EncodedRequest,
        OnDrop,
        RequestQueue,
    )
    from opentelemetry.exporter.mlflow._delivery._spool_transaction import (
        SpoolTransaction,
    )

_Result = TypeVar("_Result")

_EMPTY: Final = QueueState(0, 0, 0.0)


@dataclass(frozen=True)
class _SpooledRequest(QueuedRequest):
    """`database` is the identity of the database, `created` a Unix time."""

    database: str
    destination: str
    created: float


class Spool:
    """Implements `RequestQueue` with a database in `folder`.

    `take` gives out only requests for `destination`, whoever has put them there. If
    the database cannot be used, requests wait in `fallback`. `max_bytes` limits the
    bodies of all destinations, and `max_age_seconds` their age. `on_drop` is called
    without a lock.

    A claim ends when its process has ended, or after 60 seconds. The request is then
    due again, so that it may be delivered twice, but is not lost.
    """

    def __init__(
        self,
        folder: str | Path,
        destination: str,
        *,
        max_bytes: int,
        max_age_seconds: float,
        on_drop: OnDrop,
        fallback: RequestQueue,
    ) -> None:
        self.destination = destination
        self._max_bytes = max_bytes
        self._fallback = fallback
        self._access = SpoolAccess(Path(folder).absolute(), max_age_seconds, on_drop)
        # Requests that are done, but could not be removed from the database.
        self._removals = set[tuple[str, int]]()

    @property
    def is_persistent(self) -> bool:
        return self._access.is_available and not self._fallback.state().span_count

    def put(self, request: EncodedRequest) -> QueuedRequest:
        if len(request.body) > self._max_bytes:
            return self._fallback.put(request)
        destination = self.destination

        def insert(transaction: SpoolTransaction) -> QueuedRequest:
            row_id = transaction.insert(request, destination, is_claimed=True)
            transaction.evict(self._max_bytes)
            return _SpooledRequest(
                id=row_id,
                request=request,
                attempts=0,
                database=transaction.database,
                destination=destination,
                created=transaction.now,
            )

        try:
            queued = self._run(insert)
        except SpoolUnavailableError:
            return self._fallback.put(request)
        # Only one, so that a live request does not wait for all.
        self._store_fallback_request()
        return queued

    def take(self, *, is_urgent: bool = False) -> QueuedRequest | None:
        destination = self.destination

        def claim(transaction: SpoolTransaction) -> QueuedRequest | None:
            row = transaction.find_due(destination, is_urgent=is_urgent)
            return row and _SpooledRequest(
                id=row.id,
                request=transaction.claim(row),
                attempts=row.attempts,
                database=transaction.database,
                destination=destination,
                created=row.created,
            )

        if self._is_fallback_older() and (queued := self._fallback.take()):
            return queued
        with suppress(SpoolUnavailableError):
            if queued := self._run(claim):
                return queued
        return self._fallback.take(is_urgent=is_urgent)

    def _is_fallback_older(self) -> bool:
        if self._fallback.seconds_until_due() != 0:
            return False
        age = self._fallback.state().oldest_age
        destination = self.destination

        def has_older(transaction: SpoolTransaction) -> bool:
            row = transaction.find_due(destination)
            return row is not None and transaction.now - row.created > age

        try:
            return not self._run(has_older)
        except SpoolUnavailableError:
            return True

    def release(self, queued: QueuedRequest, *, attempts: int, delay: float) -> None:
        if not isinstance(queued, _SpooledRequest):
            self._fallback.release(queued, attempts=attempts, delay=delay)
            return

        def release(transaction: SpoolTransaction) -> None:
            if transaction.database == queued.database:
                transaction.release(queued.id, attempts, delay)
            else:  # The database of the request was deleted, or was damaged.
                self._insert(transaction, queued.request, queued, attempts, delay)

        try:
            self._run(release)
        except SpoolUnavailableError:
            self._move_to_fallback(queued, [queued.request], attempts, delay)

    def replace(self, queued: QueuedRequest, parts: Sequence[EncodedRequest]) -> None:
        if not isinstance(queued, _SpooledRequest):
            self._fallback.replace(queued, parts)
            return

        def replace(transaction: SpoolTransaction) -> None:
            # If the request is not there, another process has taken it after the end
            # of the claim, and has replaced it, or it was dropped.
            if transaction.database != queued.database or transaction.remove(queued.id):
                for part in parts:
                    self._insert(transaction, part, queued, queued.attempts, 0)

        try:
            self._run(replace)
        except SpoolUnavailableError:
            self._move_to_fallback(queued, parts, queued.attempts, 0)

    def _insert(
        self,
        transaction: SpoolTransaction,
        request: EncodedRequest,
        queued: _SpooledRequest,
        attempts: int,
        delay: float,
    ) -> None:
        """Insert a request in the place of `queued`."""
        transaction.insert(
            request,
            queued.destination,
            created=queued.created,
            attempts=attempts,
            delay=delay,
        )
        transaction.evict(self._max_bytes)

    def _move_to_fallback(
        self,
        queued: _SpooledRequest,
        requests: Sequence[EncodedRequest],
        attempts: int,
        delay: float,
    ) -> None:
        self._removals.add((queued.database, queued.id))
        for request in requests:
            self._fallback.release(
                self._fallback.put(request), attempts=attempts, delay=delay
            )

    def _store_fallback_request(self) -> bool:
        """Move a request from memory to the database. Return whether there was one."""
        created = time.time() - self._fallback.state().oldest_age
        queued = self._fallback.take()
        if queued is None:
            return False
        destination = self.destination

        def insert(transaction: SpoolTransaction) -> None:
            transaction.insert(
                queued.request,
                destination,
                created=created,
                attempts=queued.attempts,
            )
            transaction.evict(self._max_bytes)

        is_stored = False
        if len(queued.request.body) <= self._max_bytes:
            with suppress(SpoolUnavailableError):
                self._run(insert)
                is_stored = True
        if is_stored:
            self._fallback.replace(queued, [])
        else:
            self._fallback.release(queued, attempts=queued.attempts, delay=0)
        return is_stored

    def _run(self, operation: Callable[[SpoolTransaction], _Result]) -> _Result:
        removals = tuple(self._removals)

        def remove_and_run(transaction: SpoolTransaction) -> _Result:
            for database, row_id in removals:
                if database == transaction.database:
                    transaction.remove(row_id)
            return operation(transaction)

        result = self._access.run(remove_and_run if removals else operation)
        self._removals.difference_update(removals)
        return result

    def seconds_until_due(self) -> float | None:
        destination = self.destination
        delays = [self._fallback.seconds_until_due()]
        with suppress(SpoolUnavailableError):
            delays.append(
                self._run(
                    lambda transaction: transaction.seconds_until_due(destination)
                )
            )
        return min((delay for delay in delays if delay is not None), default=None)

    def state(self) -> QueueState:
        destination = self.destination
        states = [self._fallback.state()]
        with suppress(SpoolUnavailableError):
            states.append(
                self._run(
                    lambda transaction: transaction.states().get(destination, _EMPTY)
                )
            )
        span_counts, byte_counts, ages = zip(*states, strict=True)
        return QueueState(sum(span_counts), sum(byte_counts), max(ages))

    def close(self) -> None:
        """Give back all claims of this object, and store the requests in memory."""
        while self._store_fallback_request():
            pass
        with suppress(SpoolUnavailableError):
            self._run(lambda transaction: transaction.release_all())
        self._access.close()
        self._fallback.close()

    def after_fork(self) -> None:
        self._removals.clear()
        self._access.after_fork()
        self._fallback.after_fork()
