from __future__ import annotations

import time

import pytest

from .spools import open_spool


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def spool(folder):
    with open_spool(folder) as spool:
        yield spool


@pytest.fixture
def set_clock(monkeypatch):
    """A function that moves the wall clock by a number of seconds, from the start."""
    real_time = time.time

    def set_clock(seconds):
        monkeypatch.setattr(time, "time", lambda: real_time() + seconds)

    return set_clock
