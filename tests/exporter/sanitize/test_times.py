"""Times that no database keeps."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import Event

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize

from .malformed import span

TIMES = {
    2**63: 2**63 - 1,
    2**70: 2**63 - 1,
    -1: 0,
    1.5e18: 15 * 10**17,
    float("inf"): 2**63 - 1,
    float("nan"): 0,
}


@pytest.mark.parametrize(("time", "kept"), TIMES.items(), ids=map(str, TIMES))
def test_a_time_that_cannot_be_kept_is_the_nearest_one(time, kept):
    given = span(start_time=time, end_time=time, events=[Event("e", {"a": 1}, time)])
    good = sanitize(given)
    (event,) = good.events
    assert (good.start_time, good.end_time, event.timestamp) == (kept, kept, kept)
    assert event.attributes == {"a": 1}
    assert good.attributes == {
        SANITIZED: (
            f"an event's time: no time that MLflow keeps ({time})",
            f"the start: no time that MLflow keeps ({time})",
            f"the end: no time that MLflow keeps ({time})",
        )
    }


def test_an_event_alone_may_have_such_a_time():
    events = [Event("e", None, 2**64), Event("f", None, 7)]
    good = sanitize(span(start_time=1, end_time=2, events=events))
    assert (good.start_time, good.end_time) == (1, 2)
    assert [event.timestamp for event in good.events] == [2**63 - 1, 7]
    (reason,) = good.attributes[SANITIZED]
    assert reason.startswith("an event's time: ")


class Whole(int):
    """As NumPy's: a whole number of another type."""


@pytest.mark.parametrize("time", [None, 0, Whole(7), 2**63 - 1])
def test_a_time_that_can_be_kept_is_not_touched(time):
    event = Event("e", None, time)
    given = span(start_time=time, end_time=time, events=[event])
    assert sanitize(given) is given
