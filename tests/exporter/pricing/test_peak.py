"""The hours and days of peak prices."""

from __future__ import annotations

import time

import pytest

from .calls import BUNDLED_FILE, OFF_PEAK, PEAK, call, total_cost


@pytest.mark.parametrize(
    ("iso_time", "is_peak"),
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
        # Mid-Autumn Festival, the holidays of National Day, a Sunday and a Saturday
        # that were worked, and workdays between them.
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
def test_start_time_decides_between_peak_and_off_peak(iso_time, is_peak):
    assert total_cost(call(), iso_time) == (0.2436 if is_peak else 0.1218)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Los_Angeles"])
def test_local_time_zone_has_no_effect(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert [total_cost(call(), iso_time) for iso_time in (OFF_PEAK, PEAK)] == [
            0.1218,
            0.2436,
        ]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_weekdays_of_a_window_are_those_of_its_offset(load_custom_prices):
    east = load_custom_prices(
        """
        [windows.workdays]
        offset = "+08:00"
        times = [[00:00:00, 08:00:00]] # 16:00 to 24:00 UTC of the day before
        weekdays = ["Mon"]
        """
    )
    # Sunday in London and Monday in Beijing, then the same a day later.
    assert total_cost(call(), "2026-11-22T18:00:00+00:00", east) == 0.2436
    assert total_cost(call(), "2026-11-23T18:00:00+00:00", east) == 0.1218
    west = load_custom_prices(
        """
        [windows.workdays]
        offset = "-03:30"
        times = [[21:00:00, 23:30:00]]
        weekdays = ["Sun"]
        """
    )
    assert total_cost(call(), "2026-11-23T00:30:00+00:00", west) == 0.2436
    assert total_cost(call(), "2026-11-23T03:00:00+00:00", west) == 0.1218


def test_custom_window_adds_holidays(load_custom_prices):
    workdays = BUNDLED_FILE.read_text()
    workdays = workdays[workdays.index("[windows.workdays]") :]
    workdays = workdays[: workdays.index("]\n\n") + 2]
    prices = load_custom_prices(
        workdays.replace("2027-01-01,", "2027-01-01, 2027-02-08,")
    )
    assert total_cost(call(), "2027-02-08T02:00:00+00:00") == 0.2436
    assert total_cost(call(), "2027-02-08T02:00:00+00:00", prices) == 0.1218
