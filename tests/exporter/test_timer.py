"""A timer that calls a method from a background thread."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from opentelemetry.exporter.mlflow._timer import BackgroundTimer


class Target:
    def __init__(self):
        self.times = []
        self.is_called = threading.Event()
        self.timer = BackgroundTimer(self.call)

    def call(self):
        self.times.append(time.monotonic())
        self.is_called.set()


@pytest.fixture
def target():
    target = Target()
    yield target
    target.timer.cancel()


def test_an_earlier_time_replaces_a_later_one(target):
    start = time.monotonic()
    target.timer.start(60)
    target.timer.start(0.05)
    assert target.is_called.wait(10)
    assert target.times[0] - start < 5


def test_a_later_time_does_not_replace_an_earlier_one(target):
    target.timer.start(0.05)
    target.timer.start(60)
    assert target.is_called.wait(10)
    time.sleep(0.1)
    assert len(target.times) == 1


def test_a_cancelled_timer_does_not_call(target):
    target.timer.start(0.05)
    target.timer.cancel()
    assert not target.is_called.wait(0.2)


def test_an_object_that_is_gone_is_not_called():
    target = Target()
    timer, is_called = target.timer, target.is_called
    timer.start(0.1)
    del target
    gc.collect()
    assert not is_called.wait(0.3)


def test_a_timer_that_cannot_start_is_not_an_error(monkeypatch, target):
    def refuse_to_start(_):
        raise RuntimeError

    with monkeypatch.context() as context:
        context.setattr(threading.Thread, "start", refuse_to_start)
        target.timer.start(0.05)
    target.timer.start(0.05)
    assert target.is_called.wait(10)
