"""Requests wait in a spool, are claimed, and are dropped if there are too many."""

from __future__ import annotations

import os
import stat

import pytest

from opentelemetry.exporter.mlflow._delivery._request_queue import QueueState
from opentelemetry.exporter.mlflow._delivery._spool_contents import spool_contents
from opentelemetry.exporter.mlflow._delivery._spool_settings import SpoolSettings

from .spools import (
    DESTINATION,
    FULL,
    database_path,
    make_request,
    open_spool,
    put_unclaimed,
    take_all,
    take_text,
)


def test_requests_are_given_out_oldest_first(spool):
    for text in "abc":
        put_unclaimed(spool, text)
    assert take_all(spool) == ["a", "b", "c"]
    assert spool.state() == QueueState(0, 0, 0)
    assert spool.is_persistent


def test_a_request_that_is_being_sent_is_not_given_out(spool, folder):
    queued = spool.put(make_request("a"))
    with open_spool(folder) as other_spool:
        assert spool.take() is other_spool.take() is None
        spool.release(queued, attempts=3, delay=0)
        claimed = other_spool.take()
        assert (claimed.request, claimed.attempts) == (queued.request, 3)
        assert spool.take() is None


def test_requests_survive_the_spool_object(folder):
    with open_spool(folder) as spool:
        put_unclaimed(spool, "a", span_count=7)
        spool.put(make_request("b"))
    with open_spool(folder) as spool:
        assert spool.state()[:2] == (8, 2)
        assert take_all(spool) == ["a", "b"]


def test_a_request_waits_for_its_delay(spool, set_clock):
    set_clock(0)
    assert spool.seconds_until_due() is None
    queued = spool.put(make_request("a"))
    assert spool.seconds_until_due() is None
    spool.release(queued, attempts=1, delay=30)
    assert spool.take() is None
    assert spool.seconds_until_due() == pytest.approx(30, abs=1)
    set_clock(31)
    assert spool.seconds_until_due() == 0
    assert take_text(spool) == "a"


def test_urgent_requests_do_not_wait(folder):
    with open_spool(folder, max_bytes=10) as spool:
        for text in ("a", "too large for it"):
            spool.release(spool.put(make_request(text)), attempts=1, delay=30)
        assert spool.take() is None
        for text in ("a", "too large for it"):
            queued = spool.take(is_urgent=True)
            assert (queued.request, queued.attempts) == (make_request(text), 1)
        assert spool.take(is_urgent=True) is None


def test_a_clock_that_is_set_back_does_not_delay_a_request(spool, set_clock):
    set_clock(24 * 3600)
    queued = spool.put(make_request("a"))
    spool.release(queued, attempts=1, delay=30)
    spool.put(make_request("claimed"))
    set_clock(0)
    assert take_all(spool) == ["a", "claimed"]


def test_a_claim_ends_after_a_minute(spool, set_clock):
    queued = spool.put(make_request("a"))
    set_clock(59)
    assert spool.take() is None
    set_clock(61)
    assert spool.take().request == queued.request


def test_a_claim_that_has_ended_does_not_end_the_next_one(spool, folder, set_clock):
    queued = spool.put(make_request("a"))
    set_clock(61)
    with open_spool(folder) as other_spool:
        claimed = other_spool.take()
        spool.release(queued, attempts=1, delay=0)
        assert spool.take() is None
        # Both processes have sent the request, and were told to split it.
        other_spool.replace(claimed, [make_request("a1"), make_request("a2")])
        spool.replace(queued, [make_request("a1"), make_request("a2")])
        assert take_all(spool) == ["a1", "a2"]


def test_parts_take_the_place_and_the_attempts_of_the_request(spool):
    queued = spool.put(make_request("ab"))
    put_unclaimed(spool, "c")
    spool.release(queued, attempts=2, delay=0)
    spool.replace(spool.take(), [make_request("a"), make_request("b")])
    first = spool.take()
    assert (first.request, first.attempts) == (make_request("a"), 2)
    spool.replace(first, [])
    assert take_all(spool) == ["b", "c"]


def test_a_spool_gives_out_only_requests_of_its_destination(folder):
    with open_spool(folder, "") as spool, open_spool(folder, "other") as other_spool:
        spool.destination_name = DESTINATION
        put_unclaimed(spool, "a")
        assert other_spool.take() is None
        assert other_spool.seconds_until_due() is None
        assert other_spool.state() == QueueState(0, 0, 0)
        assert take_all(spool) == ["a"]


def test_the_name_of_a_destination_may_be_invalid_unicode(folder):
    with open_spool(folder, "\udcff") as spool:
        put_unclaimed(spool, "a")
        assert spool.destination == "\\udcff"
        assert take_all(spool) == ["a"]


def test_the_oldest_requests_are_dropped_if_the_spool_is_full(folder):
    with open_spool(folder, max_bytes=10) as spool:
        with open_spool(folder, "other") as other_spool:
            put_unclaimed(other_spool, "1234", span_count=5)
        put_unclaimed(spool, "5678", span_count=3)
        put_unclaimed(spool, "9")
        assert not spool.drops
        put_unclaimed(spool, "abcdef")
        assert spool.drops == {FULL: 8}
        assert spool.state()[:2] == (2, 7)
        assert take_all(spool) == ["9", "abcdef"]


def test_requests_that_are_being_sent_are_not_dropped(folder):
    """They may be delivered, and must not be counted as dropped."""
    with open_spool(folder, max_bytes=10) as spool:
        claimed = spool.put(make_request("1234"))
        put_unclaimed(spool, "5678", span_count=3)
        put_unclaimed(spool, "abcd")
        assert spool.drops == {FULL: 3}
        other_claimed = spool.put(make_request("0123456789", span_count=2))
        assert spool.drops == {FULL: 4}
        spool.replace(claimed, [])
        spool.release(other_claimed, attempts=1, delay=0)
        assert spool.drops == {FULL: 4}
        assert take_all(spool) == ["0123456789"]


def test_a_request_that_is_too_large_waits_in_memory(folder):
    with open_spool(folder, max_bytes=10) as spool:
        put_unclaimed(spool, "a")
        put_unclaimed(spool, "12345678901")
        assert not spool.is_persistent
        put_unclaimed(spool, "b")
        assert not spool.drops
        assert spool.state()[:2] == (3, 13)
        assert take_all(spool) == ["a", "12345678901", "b"]


def test_old_requests_are_dropped(folder, set_clock):
    with open_spool(folder, "other") as other_spool:
        put_unclaimed(other_spool, "other", span_count=5)
    with open_spool(folder) as spool:
        put_unclaimed(spool, "a", span_count=3)
        set_clock(3590)
        put_unclaimed(spool, "b")
    set_clock(3605)
    with open_spool(folder) as spool:
        assert take_all(spool) == ["b"]
        assert spool.drops == {"not delivered within 3600 seconds": 8}


def test_a_request_that_gets_too_old_is_not_given_out(folder, set_clock):
    with open_spool(folder) as spool:
        put_unclaimed(spool, "a")
        set_clock(3601)
        assert spool.take() is None


@pytest.mark.skipif(os.name == "nt", reason="the platform has no file modes")
def test_only_the_owner_can_read_the_files(folder):
    old_mask = os.umask(0)
    try:
        with open_spool(folder) as spool:
            put_unclaimed(spool, "a")
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode) for path in files(folder)
            }
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(old_mask)
    assert modes == {"spool.db": 0o600, "spool.db-wal": 0o600, "spool.db-shm": 0o600}


def files(folder):
    return list(folder.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="the platform has no file modes")
def test_the_mode_of_an_existing_folder_is_not_changed(folder):
    folder.mkdir(mode=0o755)
    with open_spool(folder) as spool:
        put_unclaimed(spool, "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(folder)] == [0o600]


def test_a_relative_path_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_spool("spool") as spool:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        put_unclaimed(spool, "a")
    assert (tmp_path / "spool").is_dir()


def test_the_file_shrinks_after_an_outage(folder):
    with open_spool(folder, max_bytes=2**30) as spool:
        body = "x" * 2**20
        for _ in range(70):
            put_unclaimed(spool, body)
        assert len(take_all(spool)) == 70
    assert database_path(folder).stat().st_size < 2**20


def test_a_spool_can_be_used_after_it_was_closed(folder):
    with open_spool(folder) as spool:
        queued = spool.put(make_request("a"))
        spool.close()
        assert spool.fallback.is_closed
        spool.replace(queued, [])
        put_unclaimed(spool, "b")
        assert [path.name for path in files(folder)] == ["spool.db"]
    with open_spool(folder) as spool:
        assert take_all(spool) == ["b"]


def test_a_log_handler_or_destructor_may_put_a_request_during_a_transaction(spool):
    def put_again(transaction):
        put_unclaimed(spool, "inner")
        return transaction.byte_count()

    put_unclaimed(spool, "a")
    assert spool._requests._access.run(put_again) == 1
    assert spool.fallback.state().span_count == 1
    assert take_all(spool) == ["a", "inner"]


def test_a_platform_without_forks(folder, monkeypatch):
    monkeypatch.delattr("os.register_at_fork")
    with open_spool(folder) as spool:
        put_unclaimed(spool, "a")
        assert take_all(spool) == ["a"]


def test_the_contents_are_shown_for_each_destination(folder):
    settings = SpoolSettings(folder, 10, 1)
    assert spool_contents(settings) == {}
    assert not folder.exists()
    with open_spool(folder) as spool, open_spool(folder, "other") as other_spool:
        put_unclaimed(spool, "ab", span_count=3)
        put_unclaimed(other_spool, "c")
        contents = spool_contents(settings)
    assert {name: state[:2] for name, state in contents.items()} == {
        DESTINATION: (3, 2),
        "other": (1, 1),
    }
    assert 0 < contents[DESTINATION].oldest_age < 60
