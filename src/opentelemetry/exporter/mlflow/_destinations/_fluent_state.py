"""The state of MLflow's fluent API: the active tracking URI and experiment.

It is read only if the application has imported `mlflow`; this module never imports it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from opentelemetry.exporter.mlflow._config import Setting
from opentelemetry.exporter.mlflow._destinations._experiment import Experiment
from opentelemetry.exporter.mlflow.environment_variables import MLFLOW_EXPERIMENT_ID


def active_tracking_uri() -> Setting | None:
    """The URI that was passed to `mlflow.set_tracking_uri`.

    None if there is none, or if another thread is still importing `mlflow`.
    """
    mlflow: Any = sys.modules.get("mlflow")
    is_set = getattr(mlflow, "is_tracking_uri_set", None)
    if is_set is None or not is_set():
        return None
    return Setting(str(mlflow.get_tracking_uri()), "mlflow.set_tracking_uri")


def active_experiment(tracking_uri: Setting | None) -> Experiment | None:
    """The experiment that was passed to `mlflow.set_experiment`.

    None if there is none, or if it belongs to another tracking URI.
    """
    active_uri = active_tracking_uri()
    # MLflow has no function that returns the active experiment. It sets this variable
    # for subprocesses.
    experiment_id = os.environ.get(MLFLOW_EXPERIMENT_ID)
    if (
        "mlflow" not in sys.modules
        or not experiment_id
        or not is_same_uri(tracking_uri, active_uri)
    ):
        return None
    return Experiment(
        experiment_id, "", Setting(experiment_id, "mlflow.set_experiment")
    )


def is_same_uri(first: Setting | None, second: Setting | None) -> bool:
    """None stands for MLflow's default."""
    uris = [(setting and setting.value) or "" for setting in (first, second)]
    return uris[0].rstrip("/") == uris[1].rstrip("/")
