"""Times that MLflow cannot store."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import Event

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize

from .malformed import make_span

NEAREST_VALID_TIMES = {
    2**63: 2**63 - 1,
    2**70: 2**63 - 1,
    -1: 0,
    1.5e18: 15 * 10**17,
    float("inf"): 2**63 - 1,
    float("nan"): 0,
}


@pytest.mark.parametrize(
    ("time", "nearest"),
    NEAREST_VALID_TIMES.items(),
    ids=map(str, NEAREST_VALID_TIMES),
)
def test_invalid_time_becomes_the_nearest_valid_one(time, nearest):
    event = Event("e", {"a": 1}, time)
    span = make_span(start_time=time, end_time=time, events=[event])
    sanitized = sanitize(span)
    (event,) = sanitized.events
    times = (sanitized.start_time, sanitized.end_time, event.timestamp)
    assert times == (nearest, nearest, nearest)
    assert event.attributes == {"a": 1}
    assert sanitized.attributes == {
        SANITIZED: (
            f"event time: invalid time ({time})",
            f"start time: invalid time ({time})",
            f"end time: invalid time ({time})",
        )
    }


def test_invalid_time_of_one_event_changes_only_that_event():
    events = [Event("e", None, 2**64), Event("f", None, 7)]
    sanitized = sanitize(make_span(start_time=1, end_time=2, events=events))
    assert (sanitized.start_time, sanitized.end_time) == (1, 2)
    assert [event.timestamp for event in sanitized.events] == [2**63 - 1, 7]
    (reason,) = sanitized.attributes[SANITIZED]
    assert reason.startswith("event time: ")


class IntSubclass(int):
    """An integer that is not of type int, like those of NumPy."""


@pytest.mark.parametrize("time", [None, 0, IntSubclass(7), 2**63 - 1])
def test_valid_time_is_unchanged(time):
    event = Event("e", None, time)
    span = make_span(start_time=time, end_time=time, events=[event])
    assert sanitize(span) is span
