"""Requests in threads, and while the interpreter shuts down."""

from __future__ import annotations

import threading
import time

import pytest

from opentelemetry.exporter.mlflow._destinations._deadline import (
    DeadlineCaller,
    export_deadline,
    request_timeout,
)
from opentelemetry.exporter.mlflow._destinations._request_threads import (
    RequestThreads,
    request_threads,
)
from opentelemetry.exporter.mlflow._destinations._response_times import ResponseTimes
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline


def refuse_to_start(_):
    """What Thread.start() does while the interpreter shuts down, since Python 3.12."""
    raise RuntimeError("can't create new thread at interpreter shutdown")


def raise_value_error():
    raise ValueError


@pytest.mark.parametrize("can_start_threads", [True, False])
def test_result_and_error_of_the_function_are_those_of_the_call(
    monkeypatch, can_start_threads
):
    if not can_start_threads:
        monkeypatch.setattr(request_threads, "_idle", [])
        monkeypatch.setattr(threading.Thread, "start", refuse_to_start)
    caller = DeadlineCaller()
    assert caller.call(lambda: 7, 10, lambda: False) == 7
    with pytest.raises(ValueError):  # noqa: PT011  # the error of the function
        caller.call(raise_value_error, 10, lambda: False)


@pytest.mark.parametrize(("timeout", "is_closed"), [(0.2, False), (10, True)])
def test_function_that_waits_too_long_is_left(timeout, is_closed):
    may_end = threading.Event()
    caller = DeadlineCaller()
    # The destination may be closed during the call.
    closings = [is_closed] * 100 + [False]
    with pytest.raises(TimeoutError):
        caller.call(may_end.wait, timeout, closings.pop)
    (late_call,) = caller._late_calls
    may_end.set()
    assert late_call.result(10)


@pytest.fixture
def process_that_ends():
    yield exit_deadline.start
    exit_deadline.reset()


def test_deadlines_of_the_export_and_of_the_process_limit_a_request(process_that_ends):
    assert request_timeout(10) == 10
    with export_deadline(5):
        assert 4 < request_timeout(10) <= 5
        assert request_timeout(3) == 3
        process_that_ends(1)
        assert 0 < request_timeout(10) <= 1
    with export_deadline(-1):
        assert request_timeout(10) == 0


def test_a_request_that_takes_longer_than_others_is_given_up_once():
    times = ResponseTimes()
    # The first request of a session has the whole timeout.
    assert times.limit(10) == 10
    times.add(0.1)
    assert times.limit(10) == 3
    assert times.limit(1) == 1
    times.add(2)
    assert times.limit(10) == 6
    times.add_late_response()
    # The server may be slow now.
    assert times.limit(10) == 10
    times.add(5)
    assert times.limit(20) == 15
    for _ in range(10):
        times.add(0.1)
    assert times.limit(10) == 3


def test_threads_are_used_again():
    threads = RequestThreads()
    threads.start()
    idents = set()
    for _ in range(5):
        idents.add(threads.call(threading.get_ident).result(10))
        wait_until_idle(threads, 2)
    assert len(idents) <= 2


def test_only_two_threads_are_kept():
    threads = RequestThreads()
    may_end = threading.Event()
    before = threading.active_count()
    futures = [threads.call(may_end.wait) for _ in range(20)]
    assert threading.active_count() == before + 20
    may_end.set()
    for future in futures:
        assert future.result(10)
    wait_until_idle(threads, 2)
    deadline = time.monotonic() + 10
    while threading.active_count() > before + 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before + 2


def wait_until_idle(threads, count):
    deadline = time.monotonic() + 10
    while len(threads._idle) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(threads._idle) == count
