"""Requests in threads, and while the interpreter shuts down."""

from __future__ import annotations

import threading

import pytest

from opentelemetry.exporter.mlflow._destinations._deadline import call_with_deadline


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
        monkeypatch.setattr(threading.Thread, "start", refuse_to_start)
    assert call_with_deadline(lambda: 7, 10, lambda: False) == 7
    with pytest.raises(ValueError):  # noqa: PT011  # the error of the function
        call_with_deadline(raise_value_error, 10, lambda: False)


@pytest.mark.parametrize(("timeout", "is_closed"), [(0.2, False), (10, True)])
def test_function_that_waits_too_long_is_left(timeout, is_closed):
    may_end = threading.Event()
    with pytest.raises(TimeoutError):
        call_with_deadline(may_end.wait, timeout, lambda: is_closed)
    may_end.set()
