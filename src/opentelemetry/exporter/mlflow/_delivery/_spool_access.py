"""Access to the database of a spool, by the threads and forks of a process.

If the database cannot be used, this is logged once for each cause, and it is tried
again later.
"""

from __future__ import annotations

import logging
import math
import os
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from weakref import WeakMethod

from opentelemetry.exporter.mlflow._delivery._spool_database import (
    SpoolDatabase,
    SpoolVersionError,
    is_corrupt,
    move_aside,
)
from opentelemetry.exporter.mlflow._delivery._spool_owner import new_owner
from opentelemetry.exporter.mlflow._delivery._spool_transaction import SpoolTransaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opentelemetry.exporter.mlflow._delivery._request_queue import OnDrop

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_Result = TypeVar("_Result")

_RETRY_SECONDS: Final = 10.0
# How long a fork waits for a transaction.
_MAX_FORK_DELAY_SECONDS: Final = 2.0
# A check for old requests reads all rows.
_EXPIRY_CHECK_SECONDS: Final = 60.0


class SpoolUnavailableError(Exception):
    """The database cannot be used now."""


@dataclass
class _Outcome(Generic[_Result]):
    """What a transaction has returned, with the transaction, or why it failed."""

    committed: tuple[_Result, SpoolTransaction] | Exception
    damaged_file: Path | None


class SpoolAccess:
    """Runs transactions in the database in `folder`, one at a time."""

    def __init__(self, folder: Path, max_age_seconds: float, on_drop: OnDrop) -> None:
        self._folder = folder
        self._max_age_seconds = max_age_seconds
        self._on_drop = on_drop
        self._logged_causes = set[str]()
        self._is_closed = False
        self._reset()
        if hasattr(os, "register_at_fork"):
            before, after = map(WeakMethod, (self._before_fork, self._after_fork))
            os.register_at_fork(
                before=lambda: (call := before()) and call(),
                after_in_parent=lambda: (call := after()) and call(),
            )

    def _reset(self) -> None:
        # A transaction may run the garbage collector, which may end a span that is
        # exported at once, in the same thread. The lock must be reentrant.
        self._lock = threading.RLock()
        self._thread_state = threading.local()
        self._is_running = False
        self._database: SpoolDatabase | None = None
        self._owner = new_owner()
        self._retry_time = 0.0
        self._expiry_check_time = 0.0
        self._has_logged_failure = False

    @property
    def is_available(self) -> bool:
        """Whether the last transaction was successful, or none has run."""
        return not self._retry_time

    def run(self, operation: Callable[[SpoolTransaction], _Result]) -> _Result:
        """Return the result of `operation`, which runs in a transaction.

        Raises SpoolUnavailableError if the transaction is not committed.
        """
        outcome = self._run_with_lock(operation)
        # Without the lock: a log handler may end a span, as above.
        if outcome.damaged_file:
            _logger.warning(
                "The spool in %s was damaged. The file was renamed to %s, and a new "
                "one is used. The spans in it are not exported.",
                self._folder,
                outcome.damaged_file.name,
            )
        if isinstance(outcome.committed, Exception):
            self._log_failure(outcome.committed)
            raise SpoolUnavailableError from outcome.committed
        result, transaction = outcome.committed
        self._log_recovery()
        for reason, span_count in transaction.dropped.items():
            self._on_drop(span_count, reason)
        return result

    def _run_with_lock(
        self, operation: Callable[[SpoolTransaction], _Result]
    ) -> _Outcome[_Result]:
        with self._lock:
            if self._is_running or time.monotonic() < self._retry_time:
                raise SpoolUnavailableError
            self._is_running = True
            damaged_file: Path | None = None
            try:
                try:
                    committed = self._transact(operation)
                except sqlite3.DatabaseError as error:
                    if not is_corrupt(error):
                        raise
                    damaged_file = self._move_aside()
                    committed = self._transact(operation)
            except (OSError, sqlite3.Error, SpoolVersionError) as error:
                self._disconnect()
                self._retry_time = time.monotonic() + _RETRY_SECONDS
                return _Outcome(error, damaged_file)
            finally:
                self._is_running = False
            self._retry_time = 0.0
            if self._is_closed:
                self._disconnect()
            return _Outcome(committed, damaged_file)

    def _transact(
        self, operation: Callable[[SpoolTransaction], _Result]
    ) -> tuple[_Result, SpoolTransaction]:
        if self._database and self._database.is_replaced:
            self._disconnect()
        if self._database is None:
            self._database = SpoolDatabase(self._folder, self._owner.may_be_alive)
        database = self._database
        is_expiry_due = time.monotonic() >= self._expiry_check_time
        with database.transaction() as connection:
            now = time.time()
            transaction = SpoolTransaction(
                connection,
                database.identity,
                now,
                now - self._max_age_seconds,
                str(self._owner),
            )
            if is_expiry_due:
                transaction.expire(
                    f"not delivered within {self._max_age_seconds:g} seconds"
                )
            result = operation(transaction)
            is_emptied = transaction.has_removed and not transaction.byte_count()
        if is_expiry_due:
            self._expiry_check_time = time.monotonic() + min(
                _EXPIRY_CHECK_SECONDS, self._max_age_seconds
            )
        if is_emptied:
            # The transaction is committed: an error does not matter.
            with suppress(sqlite3.Error):
                database.shrink()
        return result, transaction

    def _move_aside(self) -> Path | None:
        """Return the new path, or None if another process has replaced the file."""
        is_replaced = self._database is not None and self._database.is_replaced
        self._disconnect()
        return None if is_replaced else move_aside(self._folder)

    def _disconnect(self) -> None:
        database, self._database = self._database, None
        if database:
            with suppress(sqlite3.Error):
                database.close()

    def _log_failure(self, error: Exception) -> None:
        cause = (error.strerror if isinstance(error, OSError) else None) or str(error)
        if cause not in self._logged_causes:
            self._logged_causes.add(cause)
            self._has_logged_failure = True
            _logger.warning(
                "Cannot use the spool in %s: %s. Spans wait in memory, and are lost if "
                "the process ends before they are sent. Check the disk and the "
                "permissions, or set OTEL_EXPORTER_MLFLOW_SPOOL to another folder. The "
                "spool is tried again. This cause is logged once.",
                self._folder,
                cause,
            )

    def _log_recovery(self) -> None:
        if self._has_logged_failure:
            self._has_logged_failure = False
            _logger.warning("The spool in %s works again.", self._folder)

    def close(self) -> None:
        """Close the connection. A later transaction opens it only for its own time."""
        with self._lock:
            self._is_closed = True
            self._disconnect()

    def _before_fork(self) -> None:
        """Disconnect: a child cannot use, nor close, a connection of its parent.

        It cannot even open another one, because SQLite takes the locks of all
        connections of a process together.
        https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_
        """
        is_locked = self._lock.acquire(timeout=_MAX_FORK_DELAY_SECONDS)
        # Other threads may fork at the same time.
        self._thread_state.is_locked = is_locked
        if is_locked and not self._is_running:
            self._disconnect()

    def _after_fork(self) -> None:
        """Called in the parent, in the thread that has called `_before_fork`."""
        if self._thread_state.is_locked:
            self._lock.release()

    def after_fork(self) -> None:
        """Called in the child."""
        is_inherited = self._database is not None
        if self._database:
            self._database.keep_open()
        self._reset()
        if is_inherited:
            self._retry_time = math.inf
            self._log_failure(OSError(0, "the process was forked while it was in use"))
