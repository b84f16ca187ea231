"""A spool that cannot be used: requests wait in memory, and nothing raises."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing, contextmanager

import pytest

from opentelemetry.exporter.mlflow._delivery import _spool_database
from opentelemetry.exporter.mlflow._delivery._spool_access import SpoolUnavailableError
from opentelemetry.exporter.mlflow._delivery._spool_contents import spool_contents
from opentelemetry.exporter.mlflow._delivery._spool_settings import SpoolSettings

from .spools import (
    database_path,
    make_request,
    open_spool,
    put_unclaimed,
    retry_now,
    take_all,
)


@pytest.fixture
def warnings(caplog):
    def take():
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    return take


def failure_warning(folder, cause):
    return (
        f"Cannot use the spool in {folder}: {cause}. Spans wait in memory, and are "
        "lost if the process ends before they are sent. Check the disk and the "
        "permissions, or set OTEL_EXPORTER_MLFLOW_SPOOL to another folder. The spool "
        "is tried again. This cause is logged once."
    )


def recovery_warning(folder):
    return f"The spool in {folder} works again."


@contextmanager
def another_transaction(folder):
    with closing(sqlite3.connect(database_path(folder), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture(autouse=True)
def short_busy_timeout(monkeypatch):
    monkeypatch.setattr(_spool_database, "_BUSY_TIMEOUT_SECONDS", 0.05)


def test_requests_wait_in_memory_while_another_process_locks_the_database(
    folder, spool, warnings
):
    put_unclaimed(spool, "a")
    sent, rejected, too_large = (spool.put(make_request(text)) for text in "bcd")
    with another_transaction(folder):
        put_unclaimed(spool, "e")
        assert warnings() == [failure_warning(folder, "database is locked")]
        assert not spool.is_persistent
        spool.replace(sent, [])
        spool.release(rejected, attempts=4, delay=0)
        spool.replace(too_large, [make_request("d1"), make_request("d2")])
        assert spool.seconds_until_due() == 0
        assert spool.state()[:2] == (4, 6)
        claimed = spool.take()
        assert claimed.request.body == b"e"
        spool.replace(claimed, [])
        claimed = spool.take()
        assert (claimed.request.body, claimed.attempts) == (b"c", 4)
        spool.replace(claimed, [])
    # The database is not tried again for 10 seconds.
    put_unclaimed(spool, "f")
    assert spool.state()[:2] == (3, 5)
    retry_now(spool)
    assert spool.state()[:2] == (4, 6)
    assert warnings() == [recovery_warning(folder)]
    assert take_all(spool) == ["a", "d1", "d2", "f"]
    assert spool.is_persistent


def test_requests_in_memory_move_to_the_database_when_it_works_again(folder, spool):
    put_unclaimed(spool, "a")
    with another_transaction(folder):
        for text in "bcd":
            put_unclaimed(spool, text)
    retry_now(spool)
    put_unclaimed(spool, "e")
    assert spool.fallback.state().span_count == 2
    spool.close()
    assert spool.fallback.state().span_count == 0
    with open_spool(folder) as next_spool:
        assert take_all(next_spool) == list("abcde")


def test_requests_stay_in_memory_if_the_database_does_not_work_at_the_end(
    folder, spool
):
    put_unclaimed(spool, "a")
    with another_transaction(folder):
        put_unclaimed(spool, "b")
        spool.close()
        assert spool.fallback.state().span_count == 1


def test_a_cause_is_logged_once(folder, spool, warnings):
    for _ in range(3):
        put_unclaimed(spool, "a")
        with another_transaction(folder):
            put_unclaimed(spool, "b")
        retry_now(spool)
    put_unclaimed(spool, "a")
    assert warnings() == [
        failure_warning(folder, "database is locked"),
        recovery_warning(folder),
    ]


def test_a_full_disk(folder, spool, warnings):
    put_unclaimed(spool, "a")
    connection = spool._requests._access._database._connection
    (page_count,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {page_count}")
    put_unclaimed(spool, "b" * 100_000)
    assert warnings() == [failure_warning(folder, "database or disk is full")]
    retry_now(spool)
    assert [text[0] for text in take_all(spool)] == ["a", "b"]
    assert warnings() == [recovery_warning(folder)]


def test_a_folder_that_cannot_be_created(tmp_path, warnings):
    (tmp_path / "file").touch()
    with open_spool(tmp_path / "file" / "spool") as spool:
        put_unclaimed(spool, "a")
        assert warnings() == [
            failure_warning(tmp_path / "file" / "spool", "Not a directory")
        ]
        assert take_all(spool) == ["a"]


def test_a_database_that_cannot_be_written(folder, spool, monkeypatch, warnings):
    def open_read_only(path, **arguments):
        return sqlite3_connect(f"file:{path}?mode=ro", uri=True, **arguments)

    put_unclaimed(spool, "a")
    spool.close()
    warnings()
    sqlite3_connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", open_read_only)
    with open_spool(folder) as next_spool:
        put_unclaimed(next_spool, "b")
        monkeypatch.undo()
        (warning,) = warnings()
        assert warning == failure_warning(
            folder, "attempt to write a readonly database"
        )


@pytest.mark.parametrize("is_open", [False, True])
def test_a_damaged_database_is_moved_aside(folder, spool, warnings, is_open):
    put_unclaimed(spool, "a")
    if not is_open:
        spool.close()
    (folder / "spool.db.corrupt-1").touch()
    for path in folder.glob("spool.db*"):
        path.write_bytes(b"no database" * 1000)
    put_unclaimed(spool, "b")
    assert take_all(spool) == ["b"]
    assert spool.is_persistent
    (file,) = [
        path.name
        for path in folder.iterdir()
        if "corrupt" in path.name and path.suffix.partition("-")[2].isdecimal()
    ]
    assert file != "spool.db.corrupt-1"
    (warning,) = warnings()
    assert warning == (
        f"The spool in {folder} was damaged. The file was renamed to {file}, and a new "
        "one is used. The spans in it are not exported."
    )


@pytest.mark.parametrize("statement", ["DROP TABLE bodies", "DELETE FROM spool"])
def test_a_database_with_a_missing_table_is_moved_aside(
    folder, spool, warnings, statement
):
    put_unclaimed(spool, "a")
    spool.close()
    with closing(sqlite3.connect(database_path(folder))) as connection, connection:
        connection.execute(statement)
    put_unclaimed(spool, "b")
    (warning,) = warnings()
    assert warning.startswith(f"The spool in {folder} was damaged.")
    assert take_all(spool) == ["b"]


def test_the_write_ahead_log_is_moved_aside_too(folder):
    folder.mkdir()
    for suffix in ("", "-wal", "-shm"):
        (folder / f"spool.db{suffix}").touch()
    target = _spool_database.move_aside(folder)
    assert sorted(folder.iterdir()) == [
        target,
        folder / f"{target.name}-shm",
        folder / f"{target.name}-wal",
    ]


def test_an_inherited_connection_is_never_closed(folder):
    database = _spool_database.SpoolDatabase(folder, lambda _: True)
    connection = database._connection
    references = sys.getrefcount(connection)
    database.keep_open()
    assert sys.getrefcount(connection) == references + 1
    connection.close()


def test_a_damaged_database_that_another_process_has_replaced(folder, spool, warnings):
    put_unclaimed(spool, "a")
    calls = 0

    def replace_and_fail(transaction):
        nonlocal calls
        calls += 1
        if calls == 1:
            shutil.rmtree(folder)
            raise sqlite3.DatabaseError("database disk image is malformed")
        return transaction.byte_count()

    assert spool._requests._access.run(replace_and_fail) == 0
    assert not warnings()


def test_a_deleted_folder_is_created_again(folder, spool, warnings):
    put_unclaimed(spool, "lost")
    rejected, too_large = (spool.put(make_request(text)) for text in "ab")
    shutil.rmtree(folder)
    spool.release(rejected, attempts=5, delay=0)
    spool.replace(too_large, [make_request("b1"), make_request("b2")])
    claimed = spool.take()
    assert (claimed.request.body, claimed.attempts) == (b"a", 5)
    assert take_all(spool) == ["b1", "b2"]
    assert not warnings()


def test_an_old_removal_does_not_remove_from_a_new_database(folder, spool):
    sent = spool.put(make_request("a"))
    with another_transaction(folder):
        spool.replace(sent, [])
    shutil.rmtree(folder)
    with open_spool(folder) as other_spool:
        put_unclaimed(other_spool, "b")
    retry_now(spool)
    assert take_all(spool) == ["b"]


def test_the_database_of_a_later_release_is_not_changed(folder, spool, warnings):
    put_unclaimed(spool, "a")
    spool.close()
    with closing(sqlite3.connect(database_path(folder))) as connection:
        connection.execute("PRAGMA user_version = 2")
    with open_spool(folder) as next_spool:
        put_unclaimed(next_spool, "b")
        assert warnings() == [
            failure_warning(folder, "a later release has created it, with the format 2")
        ]
        assert take_all(next_spool) == ["b"]
        with pytest.raises(SpoolUnavailableError):
            spool_contents(SpoolSettings(folder, 1, 1))


def test_a_failure_after_the_commit_does_not_matter(folder, spool, monkeypatch):
    def fail(_):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(_spool_database.SpoolDatabase, "shrink", fail)
    put_unclaimed(spool, "a")
    assert take_all(spool) == ["a"]
    assert spool.is_persistent


def test_a_file_system_without_hard_links(folder, spool, monkeypatch):
    def fail(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", fail)
    put_unclaimed(spool, "a")
    assert [path.name for path in folder.glob("*[a-z]")] == [
        path.name for path in folder.iterdir()
    ]
    assert spool.is_persistent


def test_an_interrupted_transaction_is_rolled_back(spool):
    def interrupt(transaction):
        transaction.insert(make_request("a"), spool.destination)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool._requests._access.run(interrupt)
    assert spool.take() is None
    assert spool.is_persistent


def test_an_error_that_has_rolled_back(spool):
    def roll_back(transaction):
        transaction.connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(SpoolUnavailableError):
        spool._requests._access.run(roll_back)
    retry_now(spool)
    assert spool.take() is None


class BusyConnection(sqlite3.Connection):
    """SQLite does not always wait while another process changes the journal's mode."""

    is_busy = True

    def execute(self, statement, *arguments):
        if "journal_mode" in statement and self.is_busy:
            self.is_busy = False
            raise sqlite3.OperationalError("database is locked")
        return super().execute(statement, *arguments)


def test_the_database_is_opened_while_another_process_opens_it(spool, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda path, **arguments: connect(path, factory=BusyConnection, **arguments),
    )
    put_unclaimed(spool, "a")
    assert spool.is_persistent


def test_the_database_cannot_be_opened_in_time(folder, spool, warnings):
    put_unclaimed(spool, "a")
    spool.close()
    with closing(sqlite3.connect(database_path(folder), isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        put_unclaimed(spool, "b")
    assert warnings() == [failure_warning(folder, "database is locked")]
