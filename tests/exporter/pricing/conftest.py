from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._config import Setting
from opentelemetry.exporter.mlflow._pricing._price_file import load_price_list
from tests.exporter.mlflow_server.conftest import database_path, mlflow, store_uri  # noqa: F401  # fixtures

from .calls import VARIABLE


@pytest.fixture
def load_custom_prices(tmp_path):
    """Loads the bundled prices, overridden by a file with the given text."""

    def load(text):
        path = tmp_path / "custom.toml"
        path.write_text(text)
        return load_price_list(Setting(str(path), VARIABLE))

    return load
