from __future__ import annotations

import gc

import pytest

from opentelemetry.exporter.mlflow._content._pending import pending_content

from .conversation import HOOK, both_to


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    gc.collect()
    pending_content.exporters.clear()
    pending_content.forget()
    monkeypatch.setattr(pending_content, "is_used", False)
    yield
    pending_content.forget()


@pytest.fixture
def both(monkeypatch, wire):
    monkeypatch.setenv(HOOK, "mlflow")
    made = both_to(wire.uri)
    yield made
    made.provider.shutdown()
