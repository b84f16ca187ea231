"""The requests of one spool object in the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from opentelemetry.exporter.mlflow._delivery._request_queue import (
    QueuedRequest,
    QueueState,
)
from opentelemetry.exporter.mlflow._delivery._spool_access import SpoolAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        EncodedRequest,
        OnDrop,
    )
    from opentelemetry.exporter.mlflow._delivery._spool_transaction import (
        SpoolTransaction,
    )

_Result = TypeVar("_Result")

_EMPTY: Final = QueueState(0, 0, 0.0)


@dataclass(frozen=True)
class SpooledRequest(QueuedRequest):
    """`database` is the identity of the database, `created` a Unix time."""

    database: str
    destination: str
    created: float


class SpooledRequests:
    """Each method is one transaction. Raises SpoolUnavailableError if it fails."""

    def __init__(
        self,
        folder: str | Path,
        max_bytes: int,
        max_age_seconds: float,
        on_drop: OnDrop,
    ) -> None:
        self._max_bytes = max_bytes
        self._access = SpoolAccess(Path(folder).absolute(), max_age_seconds, on_drop)
        self._removals = set[tuple[str, int]]()

    @property
    def is_available(self) -> bool:
        return self._access.is_available

    def put(self, request: EncodedRequest, destination: str) -> SpooledRequest:
        """Add a request, and claim it."""

        def insert(transaction: SpoolTransaction) -> SpooledRequest:
            row_id = transaction.insert(request, destination, is_claimed=True)
            transaction.evict(self._max_bytes)
            return SpooledRequest(
                id=row_id,
                request=request,
                attempts=0,
                database=transaction.database,
                destination=destination,
                created=transaction.now,
            )

        return self._run(insert)

    def add(
        self, request: EncodedRequest, destination: str, created: float, attempts: int
    ) -> None:
        """Add a request that was in memory."""

        def insert(transaction: SpoolTransaction) -> None:
            transaction.insert(request, destination, created=created, attempts=attempts)
            transaction.evict(self._max_bytes)

        self._run(insert)

    def take(self, destination: str, *, is_urgent: bool) -> SpooledRequest | None:
        def claim(transaction: SpoolTransaction) -> SpooledRequest | None:
            row = transaction.find_due(destination, is_urgent=is_urgent)
            return row and SpooledRequest(
                id=row.id,
                request=transaction.claim(row),
                attempts=row.attempts,
                database=transaction.database,
                destination=destination,
                created=row.created,
            )

        return self._run(claim)

    def has_due(self, destination: str, min_age: float) -> bool:
        """Whether a request is due that is older than `min_age` seconds."""

        def find(transaction: SpoolTransaction) -> bool:
            row = transaction.find_due(destination)
            return row is not None and transaction.now - row.created > min_age

        return self._run(find)

    def release(self, queued: SpooledRequest, attempts: int, delay: float) -> None:
        def release(transaction: SpoolTransaction) -> None:
            if transaction.database == queued.database:
                transaction.release(queued.id, attempts, delay)
                transaction.evict(self._max_bytes)
            else:  # The database of the request was deleted, or was damaged.
                self._insert(transaction, queued.request, queued, attempts, delay)

        self._run(release)

    def replace(self, queued: SpooledRequest, parts: Sequence[EncodedRequest]) -> None:
        def replace(transaction: SpoolTransaction) -> None:
            # If the request is not there, another process has taken it after the end
            # of the claim, and has replaced it, or it was dropped.
            if transaction.database != queued.database or transaction.remove(queued.id):
                for part in parts:
                    self._insert(transaction, part, queued, queued.attempts, 0)

        self._run(replace)

    def _insert(
        self,
        transaction: SpoolTransaction,
        request: EncodedRequest,
        queued: SpooledRequest,
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

    def remove_later(self, queued: SpooledRequest) -> None:
        """Remove a request with the next transaction that is successful."""
        self._removals.add((queued.database, queued.id))

    def seconds_until_due(self, destination: str) -> float | None:
        return self._run(lambda transaction: transaction.seconds_until_due(destination))

    def state(self, destination: str) -> QueueState:
        return self._run(
            lambda transaction: transaction.states().get(destination, _EMPTY)
        )

    def release_all(self) -> None:
        self._run(lambda transaction: transaction.release_all())

    def close(self) -> None:
        self._access.close()

    def after_fork(self) -> None:
        self._removals.clear()
        self._access.after_fork()

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
