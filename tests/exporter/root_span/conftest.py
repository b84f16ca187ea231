from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._root_span import Roots


@pytest.fixture
def roots():
    return Roots(promote_remote=True)
