"""The hours and days on which a call costs more."""

from __future__ import annotations

import time

import pytest

from .calls import OFF_PEAK, OURS, PEAK, call, total


@pytest.mark.parametrize(
    ("moment", "is_peak"),
    [
        ("2026-11-20T00:59:59.999999+00:00", False),
        ("2026-11-20T01:00:00+00:00", True),
        ("2026-11-20T09:00:00+08:00", True),
        ("2026-11-20T03:59:59.999999+00:00", True),
        ("2026-11-20T04:00:00+00:00", False),
        ("2026-11-20T05:59:59.999999+00:00", False),
        ("2026-11-20T06:00:00+00:00", True),
        ("2026-11-20T09:59:59.999999+00:00", True),
        ("2026-11-20T10:00:00+00:00", False),
        ("2026-11-20T23:30:00+00:00", False),
        # Saturday, Sunday, Monday.
        ("2026-11-21T02:00:00+00:00", False),
        ("2026-11-22T08:00:00+00:00", False),
        ("2026-11-23T08:00:00+00:00", True),
        # Mid-Autumn Festival, and the National Day's holidays; then a Sunday and a
        # Saturday that were worked, and the days around them.
        ("2026-09-24T02:00:00+00:00", True),
        ("2026-09-25T02:00:00+00:00", False),
        ("2026-09-28T02:00:00+00:00", True),
        ("2026-10-01T02:00:00+00:00", False),
        ("2026-10-07T08:00:00+00:00", False),
        ("2026-10-08T08:00:00+00:00", True),
        ("2026-09-20T02:00:00+00:00", False),
        ("2026-10-10T02:00:00+00:00", False),
        ("2027-01-01T02:00:00+00:00", False),
    ],
)
def test_the_moment_of_the_start_decides_what_is_peak(moment, is_peak):
    assert total(call(), moment) == (0.2436 if is_peak else 0.1218)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Los_Angeles"])
def test_the_clock_of_the_machine_does_not_matter(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert [total(call(), moment) for moment in (OFF_PEAK, PEAK)] == [
            0.1218,
            0.2436,
        ]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_the_days_of_a_window_are_those_of_its_own_offset(newer):
    late = newer(
        """
        [windows.workdays]
        offset = "+08:00"
        times = [[00:00:00, 08:00:00]] # 16:00 to 24:00 UTC of the day before
        weekdays = ["Mon"]
        """
    )
    # Sunday in London, Monday in Beijing; and the same a day later.
    assert total(call(), "2026-11-22T18:00:00+00:00", late) == 0.2436
    assert total(call(), "2026-11-23T18:00:00+00:00", late) == 0.1218
    west = newer(
        """
        [windows.workdays]
        offset = "-03:30"
        times = [[21:00:00, 23:30:00]]
        weekdays = ["Sun"]
        """
    )
    assert total(call(), "2026-11-23T00:30:00+00:00", west) == 0.2436
    assert total(call(), "2026-11-23T03:00:00+00:00", west) == 0.1218


def test_a_newer_file_knows_more_holidays(newer):
    workdays = OURS.read_text()
    workdays = workdays[workdays.index("[windows.workdays]") :]
    workdays = workdays[: workdays.index("]\n\n") + 2]
    prices = newer(workdays.replace("2027-01-01,", "2027-01-01, 2027-02-08,"))
    assert total(call(), "2027-02-08T02:00:00+00:00") == 0.2436
    assert total(call(), "2027-02-08T02:00:00+00:00", prices) == 0.1218
