"""Repeats MLflow's look-up of MLFLOW_EXPERIMENT_NAME after a conflict.

MLflow's client and MlflowSpanExporter both create the experiment if it does not exist.
If they do so at the same moment, one of the two requests fails. MLflow's client then
drops the span that needed the experiment, which is the first one of the program and
often a whole agent. The conflict is likely because the exporter sends its first spans
at about the time when MLflow starts its own.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracking/fluent.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wrapt import patch_function_wrapper

from opentelemetry.exporter.mlflow._mlflow_bridge._missing_names import (
    log_missing_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def patch_experiment_lookup(fluent: ModuleType) -> None:
    """Patch `_get_experiment_id_from_env`, a private name: no public one exists."""
    try:
        fluent._get_experiment_id_from_env  # noqa: B018, SLF001  # see the docstring
        patch_function_wrapper(fluent, "_get_experiment_id_from_env")(
            _retry_on_conflict
        )
    except AttributeError as error:
        log_missing_name(
            "MLflow may drop the first span of @mlflow.trace if the experiment "
            "MLFLOW_EXPERIMENT_NAME does not exist",
            error,
            "Create the experiment beforehand.",
        )


def _retry_on_conflict(
    wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
) -> Any:
    try:
        return wrapped(*args, **kwargs)
    except Exception as error:
        if getattr(error, "error_code", None) != "RESOURCE_ALREADY_EXISTS":
            raise
        return wrapped(*args, **kwargs)  # The experiment exists now.
