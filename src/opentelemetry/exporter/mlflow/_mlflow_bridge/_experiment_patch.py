"""The experiment of MLFLOW_EXPERIMENT_NAME, which MLflow's client creates as we do.

Of two that create it at the same moment one is refused. MLflow's client gives up then,
and with it the span that asked: the first of the program, often a whole agent. Our
exporter sends the first spans about when MLflow begins its own.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracking/fluent.py
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from wrapt import patch_function_wrapper

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


def see_to_it(fluent: ModuleType) -> None:
    """Patches `_get_experiment_id_from_env`, a private name: there is no public one."""
    try:
        patch_function_wrapper(fluent, "_get_experiment_id_from_env")(_found)
    except AttributeError:
        _logger.warning(
            "The first span of @mlflow.trace may be lost where MLFLOW_EXPERIMENT_NAME "
            "is not there yet: this version of MLflow is not one of 3.16 to 3.17. "
            "Create the experiment before.",
            exc_info=True,
        )


def _found(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    try:
        return wrapped(*args, **kwargs)
    except Exception as error:
        if getattr(error, "error_code", None) != "RESOURCE_ALREADY_EXISTS":
            raise
        return wrapped(*args, **kwargs)  # it is found now
