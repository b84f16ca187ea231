"""The experiment that new traces belong to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from opentelemetry.exporter.mlflow._config import read_setting
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow.environment_variables import (
    MLFLOW_EXPERIMENT_ID,
    MLFLOW_EXPERIMENT_NAME,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting
_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class Experiment(NamedTuple):
    """An experiment, identified by its `id`, or by its `name` if `id` is None.

    `setting` is the setting that selects the experiment.
    """

    id: str | None
    name: str
    setting: Setting

    @property
    def label(self) -> str:
        """The id or the quoted name, for log lines."""
        return self.id or repr(self.name)


class ExistingExperiment(NamedTuple):
    id: str
    is_deleted: bool


class ExperimentStore(Protocol):
    """The experiments of an MLflow server, a local store or a Databricks workspace."""

    def find_experiment(self, name: str) -> ExistingExperiment | None: ...

    def create_experiment(self, name: str) -> str | None:
        """Return the new id, or None if an experiment has this name already."""
        ...


def configured_experiment(
    experiment_id: str | int | None, experiment_name: str | None
) -> Experiment | None:
    """The experiment that the arguments or the environment variables select.

    An argument takes precedence over both variables, and an id over a name. Raises
    ValueError if there are two arguments, as `mlflow.set_experiment` does, or if the id
    is not a number.
    """
    if experiment_id is not None and experiment_name is not None:
        raise ValueError(
            "MlflowSpanExporter accepts the argument experiment_id or experiment_name, "
            "not both"
        )
    id_setting = read_setting(experiment_id, "experiment_id", MLFLOW_EXPERIMENT_ID)
    name_setting = read_setting(
        experiment_name, "experiment_name", MLFLOW_EXPERIMENT_NAME
    )
    if experiment_name is None and id_setting.value is not None:
        if not (id_setting.value.isascii() and id_setting.value.isdigit()):
            raise ValueError(
                f"{id_setting.name} must be the number of an experiment, for example "
                f"3; got {id_setting.value!r}. To select an experiment by name, set "
                f"{MLFLOW_EXPERIMENT_NAME}"
            )
        if name_setting.value and not id_setting.is_argument:
            _logger.warning(
                "%s and %s are both set. The id is used.",
                id_setting.name,
                name_setting.name,
            )
        return Experiment(id_setting.value, "", id_setting)
    if name_setting.value == "":
        raise ValueError(
            f"{name_setting.name} must be the name of an experiment, for example "
            "agents; got ''"
        )
    return (
        Experiment(None, name_setting.value, name_setting)
        if name_setting.value
        else None
    )


def find_or_create_experiment(name: str, store: ExperimentStore) -> str:
    """Return the id of the experiment, as `mlflow.set_experiment` selects it.

    Raises ExportError if the experiment is deleted or the request fails.
    """
    experiment = store.find_experiment(name)
    if experiment is None:
        if experiment_id := store.create_experiment(name):
            return experiment_id
        # Another process has just created it.
        experiment = store.find_experiment(name)
    if experiment is None or experiment.is_deleted:
        raise ExportError(
            f"experiment {name!r} is deleted",
            "Restore it (mlflow experiments restore), or set "
            f"{MLFLOW_EXPERIMENT_NAME} to another one",
        )
    return experiment.id
