"""Requests that wait in memory."""

from __future__ import annotations

import time

import pytest

from opentelemetry.exporter.mlflow._delivery._memory_queue import MemoryQueue
from opentelemetry.exporter.mlflow._delivery._request_queue import (
    EncodedRequest,
    QueueState,
)

FULL = "the buffer in memory is full"


@pytest.fixture
def drops():
    return []


@pytest.fixture
def queue(drops):
    return MemoryQueue(10, lambda *drop: drops.append(drop))


def put(queue, text, span_count=1):
    queued = queue.put(EncodedRequest(text, span_count))
    queue.release(queued, attempts=0, delay=0)
    return queued


def test_requests_are_taken_in_the_order_in_which_they_were_put(queue):
    for text in (b"a", b"b", b"c"):
        put(queue, text)
    assert [queue.take().request.body for _ in range(3)] == [b"a", b"b", b"c"]
    assert queue.take() is None


def test_a_claimed_request_is_not_taken(queue):
    queued = queue.put(EncodedRequest(b"a", 1))
    assert queue.take() is None
    assert queue.take(is_urgent=True) is None
    assert queue.seconds_until_due() is None
    queue.release(queued, attempts=2, delay=0)
    assert queue.seconds_until_due() == 0
    assert queue.take().attempts == 2


def test_a_request_with_a_delay_is_due_later(queue):
    queue.release(queue.put(EncodedRequest(b"a", 1)), attempts=1, delay=0.1)
    put(queue, b"b")
    first = queue.take()
    assert first.request.body == b"b"
    queue.replace(first, [])
    assert queue.take() is None
    assert 0 < queue.seconds_until_due() <= 0.1
    time.sleep(0.11)
    assert queue.take().request.body == b"a"


def test_an_urgent_request_is_the_one_that_is_due_first(queue):
    queue.release(queue.put(EncodedRequest(b"a", 1)), attempts=1, delay=60)
    queue.release(queue.put(EncodedRequest(b"b", 1)), attempts=1, delay=30)
    put(queue, b"c")
    taken = [queue.take(is_urgent=True).request.body for _ in range(3)]
    assert taken == [b"c", b"b", b"a"]


def test_parts_replace_a_request(queue):
    put(queue, b"ab", span_count=2)
    queued = queue.take()
    queue.release(queued, attempts=3, delay=0)
    queue.replace(queue.take(), [EncodedRequest(b"a", 1), EncodedRequest(b"b", 1)])
    parts = [queue.take(), queue.take()]
    assert [part.request.body for part in parts] == [b"a", b"b"]
    assert [part.attempts for part in parts] == [3, 3]
    for part in parts:
        queue.replace(part, [])
    assert queue.state() == QueueState(0, 0, 0)


def test_the_oldest_requests_are_dropped_if_the_queue_is_full(queue, drops):
    put(queue, b"1234", span_count=5)
    put(queue, b"5678", span_count=3)
    put(queue, b"90", span_count=2)
    assert drops == []
    put(queue, b"ab", span_count=1)
    assert drops == [(5, FULL)]
    assert queue.state().span_count == 6
    assert queue.state().byte_count == 8
    assert queue.take().request.body == b"5678"


def test_a_claimed_request_is_not_dropped(queue, drops):
    claimed = queue.put(EncodedRequest(b"12345678901", 7))
    put(queue, b"ab", span_count=2)
    assert drops == [(2, FULL)]
    queue.replace(claimed, [])
    assert queue.state().span_count == 0


def test_a_request_that_is_larger_than_the_queue_is_dropped(queue, drops):
    put(queue, b"12345678901", span_count=4)
    assert drops == [(4, FULL)]
    assert queue.state() == QueueState(0, 0, 0)
    # Its place in the heap of due requests is skipped.
    put(queue, b"a")
    assert queue.take().request.body == b"a"


def test_the_age_is_that_of_the_oldest_request(queue):
    put(queue, b"a")
    time.sleep(0.05)
    put(queue, b"b")
    assert 0.05 <= queue.state().oldest_age < 5


def test_a_forked_child_has_an_empty_queue(queue):
    put(queue, b"a")
    queue.after_fork()
    assert queue.take() is None
    assert queue.state() == QueueState(0, 0, 0)
    queue.close()
