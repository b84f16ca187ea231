from __future__ import annotations

import pytest

from .sides import Sides


@pytest.fixture
def sides(mlflow_server):
    return Sides(mlflow_server)
