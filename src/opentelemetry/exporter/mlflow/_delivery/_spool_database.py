"""The database file of a spool: where it is, how it is opened, and its schema.

It is a SQLite database in WAL mode. What a process has committed survives the end of
the process, also by SIGKILL. A crash of the machine may lose the last transactions, but
does not damage the database. https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import ctypes
import os
import secrets
import sqlite3
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

FILE_NAME: Final = "spool.db"

# How long a transaction may wait for those of other processes.
_BUSY_TIMEOUT_SECONDS: Final = 1.0
_OPEN_RETRY_SECONDS: Final = 0.02

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = (
    # AUTOINCREMENT: the id of a removed request is not used again. Times are seconds
    # of the Unix epoch. `changed` is the time of the last claim or release.
    """CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        destination TEXT NOT NULL,
        created REAL NOT NULL,
        span_count INTEGER NOT NULL,
        byte_count INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        due REAL NOT NULL,
        changed REAL NOT NULL,
        owner TEXT
    )""",
    "CREATE INDEX requests_by_age ON requests (destination, created)",
    # A scan of the requests must not read their bodies.
    "CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    # One row: the identity of the database, and the bytes of all bodies.
    "CREATE TABLE spool (identity TEXT NOT NULL, byte_count INTEGER NOT NULL)",
)

# Each checkpoint waits for the disk: once for 160 requests of 100 kB.
_CHECKPOINT_PAGES: Final = 4096
_WAL_SIZE_LIMIT: Final = 16 * 2**20
# The file shrinks when the spool is empty again after an outage.
_MAX_FREE_BYTES: Final = 64 * 2**20


class SpoolVersionError(Exception):
    """A later release of this package has created the database."""


class SpoolDatabase:
    """An open connection. The caller has a lock.

    The methods raise OSError and sqlite3.Error. `is_corrupt` says whether an error
    means that the file is damaged.
    """

    def __init__(self, folder: Path, may_be_alive: Callable[[str], bool]) -> None:
        self._path = folder / FILE_NAME
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._path.exists():
            _create_private_file(self._path)
        self._connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self.identity = self._prepare()
            self._file = _file_identity(self._path)
        except BaseException:
            self._connection.close()
            raise
        self._connection.create_function("may_be_alive", 1, may_be_alive)

    def _prepare(self) -> str:
        self._set_wal_mode()
        for pragma in (
            "synchronous = NORMAL",
            # Some builds overwrite what is deleted, which doubles the time.
            "secure_delete = OFF",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            f"journal_size_limit = {_WAL_SIZE_LIMIT}",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO spool VALUES (?, 0)", (secrets.token_hex(8),)
                )
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            elif version != _SCHEMA_VERSION:
                raise SpoolVersionError(
                    f"a later release has created it, with the format {version}"
                )
            return _read_identity(connection)

    def _set_wal_mode(self) -> None:
        """SQLite does not wait for others that change the mode at the same time."""
        end = time.monotonic() + _BUSY_TIMEOUT_SECONDS
        while error := self._try_to_set_wal_mode():
            if "locked" not in str(error) or time.monotonic() > end:
                raise error
            time.sleep(_OPEN_RETRY_SECONDS)

    def _try_to_set_wal_mode(self) -> sqlite3.OperationalError | None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            return error
        return None

    @property
    def is_replaced(self) -> bool:
        """Whether the file was deleted or replaced. SQLite would still write to it."""
        try:
            return _file_identity(self._path) != self._file
        except OSError:
            return True

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Commit at the end, or roll back if there is an exception."""
        # A transaction that first reads cannot wait for another one before it writes.
        # https://www.sqlite.org/lang_transaction.html#immediate
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            # Some errors roll back by themselves.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def shrink(self) -> None:
        """Give free pages back to the file system, if there are many."""
        free_pages, page_size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("freelist_count", "page_size")
        )
        if free_pages * page_size > _MAX_FREE_BYTES:
            self._connection.execute("VACUUM")

    def close(self) -> None:
        self._connection.close()

    def keep_open(self) -> None:
        """Never close the connection. Called in a child that has inherited it.

        SQLite would believe that it is the last one, and would delete files that the
        parent uses. A list of this module would not be enough: the interpreter empties
        it when it exits, which closes the connection.
        """
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))


def _read_identity(connection: sqlite3.Connection) -> str:
    """Raise the exception for a damaged file if a table or its row is missing."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    if {("requests",), ("bodies",), ("spool",)} <= set(tables) and (
        row := connection.execute("SELECT identity FROM spool").fetchone()
    ):
        return str(row[0])
    raise sqlite3.DatabaseError("a table is missing")


def is_corrupt(error: Exception) -> bool:
    """Whether the file is damaged, or is not a database.

    sqlite3 raises subclasses of DatabaseError for all other errors. Error codes are not
    available in Python 3.10.
    """
    return type(error) is sqlite3.DatabaseError


def move_aside(folder: Path) -> Path:
    """Rename the database, and delete an earlier one that was renamed."""
    path = folder / FILE_NAME
    for old_path in folder.glob(f"{FILE_NAME}.corrupt-*"):
        old_path.unlink()
    target = folder / f"{FILE_NAME}.corrupt-{time.time():.0f}"
    path.rename(target)
    for suffix in ("-wal", "-shm"):
        # A new database must not get the write-ahead log of the old one.
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(f"{target}{suffix}")
    return target


def _create_private_file(path: Path) -> None:
    """Create an empty file that only its owner can read. SQLite copies its mode.

    The file has another name while it is open: to close any descriptor of a database
    would end the locks that other connections of this process have on it.
    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    os.close(descriptor)
    try:
        # Another process may have created the file. A file system without hard links
        # usually has no modes either; SQLite creates the file there.
        with suppress(OSError):
            os.link(name, path)
    finally:
        os.unlink(name)  # noqa: PTH108  # a name, as mkstemp returns it


def _file_identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
