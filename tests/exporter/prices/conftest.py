from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._prices._file import price_list
from opentelemetry.exporter.mlflow._settings import Setting
from tests.exporter.mlflow_server.conftest import database, mlflow, store  # noqa: F401  # fixtures

from .calls import VARIABLE


@pytest.fixture
def newer(tmp_path):
    """Our list under a newer file."""

    def read(text):
        path = tmp_path / "newer.toml"
        path.write_text(text)
        return price_list(Setting(str(path), VARIABLE))

    return read
