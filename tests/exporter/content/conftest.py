from __future__ import annotations

import gc

import pytest

from opentelemetry.exporter.mlflow._content._pending import held

from .conversation import HOOK, both_to


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    gc.collect()
    held.exporters.clear()
    held.forget()
    monkeypatch.setattr(held, "is_used", False)
    yield
    held.forget()


@pytest.fixture
def both(monkeypatch, wire):
    monkeypatch.setenv(HOOK, "mlflow")
    made = both_to(wire.uri)
    yield made
    made.provider.shutdown()
