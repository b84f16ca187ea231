from __future__ import annotations

import os

import pytest

from .fake_databricks import fake_databricks


@pytest.fixture
def databricks(monkeypatch):
    for name in list(os.environ):
        if name.startswith("DATABRICKS_"):
            monkeypatch.delenv(name)
    with fake_databricks() as workspace:
        monkeypatch.setenv("DATABRICKS_HOST", workspace.uri)
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
        yield workspace
