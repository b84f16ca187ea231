"""What one transaction does with the requests in a spool."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.exporter.mlflow._delivery._request_queue import (
    EncodedRequest,
    QueueState,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

# The end of a claim whose process may be alive, for example in another container.
LEASE_SECONDS: Final = 60.0

# The clock may be set back. A change that seems to be in the future has no effect.
_CLAIMED: Final = (
    "(owner IS NOT NULL AND abs(:now - changed) < :lease AND may_be_alive(owner))"
)
_WAITING: Final = "(owner IS NULL AND :now < due AND :now > changed - :lease)"
_UNCLAIMED_ROWS: Final = (
    f"SELECT id, span_count, byte_count FROM requests WHERE NOT {_CLAIMED}"  # noqa: S608  # made of constants
)
_NEXT_ROW: Final = (
    "SELECT id, created, attempts FROM requests WHERE destination = :destination "  # noqa: S608  # made of constants
    f"AND created >= :oldest AND NOT {_CLAIMED} AND (:is_urgent OR NOT {_WAITING}) "
    "ORDER BY created, id LIMIT 1"
)
_NEXT_DUE_TIME: Final = (
    f"SELECT min(due) FROM requests WHERE destination = :destination AND {_WAITING}"  # noqa: S608  # as above
)

_FULL: Final = "the spool is full"


class Row(NamedTuple):
    """A request in the spool, without its body."""

    id: int
    created: float
    attempts: int


@dataclass
class SpoolTransaction:
    """`now` is the time, and `oldest` that of the oldest request to keep.

    Both are in seconds of the Unix epoch. `database` is the identity of the database.
    `dropped` is the number of dropped spans for each reason. It is valid if the
    transaction is committed.
    """

    connection: sqlite3.Connection
    database: str
    now: float
    oldest: float
    owner: str
    dropped: Counter[str] = field(default_factory=Counter[str])
    has_removed: bool = False

    def insert(
        self,
        request: EncodedRequest,
        destination: str,
        *,
        created: float | None = None,
        attempts: int = 0,
        delay: float = 0,
        is_claimed: bool = False,
    ) -> int:
        """Return the id of the new row."""
        row_id = self.connection.execute(
            "INSERT INTO requests (destination, created, span_count, byte_count, "
            "attempts, due, changed, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                destination,
                self.now if created is None else created,
                request.span_count,
                len(request.body),
                attempts,
                self.now + delay,
                self.now,
                self.owner if is_claimed else None,
            ),
        ).lastrowid
        self.connection.execute(
            "INSERT INTO bodies VALUES (?, ?)", (row_id, request.body)
        )
        self._add_bytes(len(request.body))
        return int(row_id or 0)

    def _add_bytes(self, count: int) -> None:
        self.connection.execute(
            "UPDATE spool SET byte_count = byte_count + ?", (count,)
        )

    def byte_count(self) -> int:
        (count,) = self.connection.execute("SELECT byte_count FROM spool").fetchone()
        return int(count)

    def remove(self, row_id: int) -> bool:
        """Remove a request. Return False if it is not there."""
        row = self.connection.execute(
            "SELECT byte_count FROM requests WHERE id = ?", (row_id,)
        ).fetchone()
        if row is not None:
            self.connection.execute("DELETE FROM requests WHERE id = ?", (row_id,))
            self.connection.execute("DELETE FROM bodies WHERE id = ?", (row_id,))
            self._add_bytes(-row[0])
            self.has_removed = True
        return row is not None

    def evict(self, max_bytes: int) -> None:
        """Drop the oldest requests until the others have at most `max_bytes`.

        Requests that a living process has claimed stay: they may be delivered.
        """
        excess = self.byte_count() - max_bytes
        if excess <= 0:
            return
        victims: list[tuple[int, int]] = []
        for row_id, span_count, byte_count in self.connection.execute(
            f"{_UNCLAIMED_ROWS} ORDER BY id", self._parameters
        ):
            victims.append((row_id, span_count))
            excess -= byte_count
            if excess <= 0:
                break
        self._drop(victims, _FULL)

    def expire(self, reason: str) -> None:
        """Drop the requests that are too old."""
        rows = self.connection.execute(
            f"{_UNCLAIMED_ROWS} AND created < :oldest", self._parameters
        ).fetchall()
        self._drop([(row_id, span_count) for row_id, span_count, _ in rows], reason)

    def _drop(self, rows: Iterable[tuple[int, int]], reason: str) -> None:
        for row_id, span_count in rows:
            self.remove(row_id)
            self.dropped[reason] += span_count

    def find_due(self, destination: str, *, is_urgent: bool = False) -> Row | None:
        row = self.connection.execute(
            _NEXT_ROW,
            {
                "destination": destination,
                "is_urgent": is_urgent,
                **self._parameters,
            },
        ).fetchone()
        return row and Row(*row)

    def claim(self, row: Row) -> EncodedRequest:
        self.connection.execute(
            "UPDATE requests SET owner = ?, changed = ?, due = ? WHERE id = ?",
            (self.owner, self.now, self.now, row.id),
        )
        return EncodedRequest(
            *self.connection.execute(
                "SELECT body, span_count FROM requests JOIN bodies USING (id) "
                "WHERE id = ?",
                (row.id,),
            ).fetchone()
        )

    def release(self, row_id: int, attempts: int, delay: float) -> None:
        """Do nothing if the claim has ended, and another process has claimed it."""
        self.connection.execute(
            "UPDATE requests SET owner = NULL, attempts = ?, due = ?, changed = ? "
            "WHERE id = ? AND owner = ?",
            (attempts, self.now + delay, self.now, row_id, self.owner),
        )

    def release_all(self) -> None:
        self.connection.execute(
            "UPDATE requests SET owner = NULL WHERE owner = ?", (self.owner,)
        )

    def seconds_until_due(self, destination: str) -> float | None:
        if self.find_due(destination):
            return 0.0
        (due,) = self.connection.execute(
            _NEXT_DUE_TIME,
            {"destination": destination, **self._parameters},
        ).fetchone()
        return None if due is None else max(due - self.now, 0.0)

    def states(self) -> dict[str, QueueState]:
        """What waits for each destination."""
        return {
            destination: QueueState(
                span_count, byte_count, max(self.now - created, 0.0)
            )
            for destination, span_count, byte_count, created in self.connection.execute(
                "SELECT destination, sum(span_count), sum(byte_count), min(created) "
                "FROM requests GROUP BY destination"
            )
        }

    @property
    def _parameters(self) -> dict[str, float]:
        return {"now": self.now, "oldest": self.oldest, "lease": LEASE_SECONDS}
