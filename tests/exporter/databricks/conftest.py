from __future__ import annotations

import os

import pytest

from .fake import fake_databricks


@pytest.fixture
def databricks(monkeypatch):
    for name in list(os.environ):
        if name.startswith("DATABRICKS_"):
            monkeypatch.delenv(name)
    with fake_databricks() as fake:
        monkeypatch.setenv("DATABRICKS_HOST", fake.uri)
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
        yield fake
