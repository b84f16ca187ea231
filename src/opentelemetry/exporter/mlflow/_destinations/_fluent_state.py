"""What the application has told `mlflow`, if it has imported it; we never do."""

from __future__ import annotations

import os
import sys
from typing import Any

from opentelemetry.exporter.mlflow._config import Setting
from opentelemetry.exporter.mlflow._destinations._experiment import Experiment
from opentelemetry.exporter.mlflow.environment_variables import MLFLOW_EXPERIMENT_ID


def active_uri() -> Setting | None:
    """None too while another thread is still importing `mlflow`."""
    mlflow: Any = sys.modules.get("mlflow")
    is_set = getattr(mlflow, "is_tracking_uri_set", None)
    if is_set is None or not is_set():
        return None
    return Setting(str(mlflow.get_tracking_uri()), "mlflow.set_tracking_uri")


def active_experiment(uri: Setting | None) -> Experiment | None:
    """None too if it is an experiment of another MLflow than `uri`."""
    active = active_uri()
    # MLflow has no function that tells; it sets this variable, for subprocesses.
    number = os.environ.get(MLFLOW_EXPERIMENT_ID)
    if "mlflow" not in sys.modules or not number or not same(uri, active):
        return None
    return Experiment(number, "", Setting(number, "mlflow.set_experiment"))


def same(one: Setting | None, other: Setting | None) -> bool:
    """None is MLflow's default."""
    first, second = ((s and s.value) or "" for s in (one, other))
    return first.rstrip("/") == second.rstrip("/")
