from __future__ import annotations

import time

import pytest

from opentelemetry.exporter.mlflow._delivery import _availability

from .accepted_spans import AcceptedSpans
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


@pytest.fixture
def short_delays(monkeypatch):
    """Requests are tried again after fractions of a second."""
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(_availability, "_MAX_DELAY_SECONDS", 0.2)


@pytest.fixture
def accepted(fake_server):
    """What `fake_server` accepts; `accepted.answer` is its response."""
    fake_server.respond = accepted = AcceptedSpans()
    return accepted
