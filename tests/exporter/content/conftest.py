from __future__ import annotations

import gc

import pytest

from opentelemetry.exporter.mlflow._content._pending import pending_content

from .two_exporters import HOOK_VARIABLE, make_exporters


@pytest.fixture(autouse=True)
def no_pending_content(monkeypatch):
    gc.collect()
    pending_content.joiners.clear()
    pending_content.after_fork()
    monkeypatch.setattr(pending_content, "has_hook", False)
    yield
    pending_content.after_fork()


@pytest.fixture
def exporters(monkeypatch, fake_server):
    monkeypatch.setenv(HOOK_VARIABLE, "mlflow")
    exporters = make_exporters(fake_server.uri)
    yield exporters
    exporters.provider.shutdown()
