from __future__ import annotations

import pytest

from .two_experiments import TwoExperiments


@pytest.fixture
def experiments(mlflow_server):
    return TwoExperiments(mlflow_server)
