"""Which experiment new traces belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from opentelemetry.exporter.mlflow._config import read_setting
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow.environment_variables import (
    MLFLOW_EXPERIMENT_ID,
    MLFLOW_EXPERIMENT_NAME,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting


class Experiment(NamedTuple):
    """`id` is known, or else `name` is; `by` says who named it."""

    id: str | None
    name: str
    by: Setting

    @property
    def shown(self) -> str:
        return self.id or repr(self.name)


class Found(NamedTuple):
    id: str
    is_deleted: bool


class Catalogue(Protocol):
    """The experiments of an MLflow server or store."""

    def find(self, name: str) -> Found | None: ...

    def create(self, name: str) -> str | None:
        """The new id; None if somebody else was first."""
        ...


def chosen(
    experiment_id: str | int | None, experiment_name: str | None
) -> Experiment | None:
    """An argument goes before both variables, an id before a name.

    Raises ValueError for two arguments, as `mlflow.set_experiment` does, and for an id
    that is not a number.
    """
    if experiment_id is not None and experiment_name is not None:
        raise ValueError(
            "MlflowSpanExporter takes one of the arguments experiment_id and "
            "experiment_name, not both"
        )
    number = read_setting(experiment_id, "experiment_id", MLFLOW_EXPERIMENT_ID)
    name = read_setting(experiment_name, "experiment_name", MLFLOW_EXPERIMENT_NAME)
    if experiment_name is None and number.value is not None:
        if not (number.value.isascii() and number.value.isdigit()):
            raise ValueError(
                f"{number.name} takes the number of an experiment, such as 3, not "
                f"{number.value!r}; for a name there is {MLFLOW_EXPERIMENT_NAME}"
            )
        return Experiment(number.value, "", number)
    if name.value == "":
        raise ValueError(f"{name.name} takes the name of an experiment, such as agents")
    return Experiment(None, name.value, name) if name.value else None


def found_or_created(name: str, catalogue: Catalogue) -> str:
    """The id of the experiment, as `mlflow.set_experiment` finds it.

    Raises ExportError.
    """
    found = catalogue.find(name)
    if found is None:
        if created := catalogue.create(name):
            return created
        found = catalogue.find(name)
    if found is None or found.is_deleted:
        raise ExportError(
            f"the experiment {name!r} is deleted",
            "Restore it (mlflow experiments restore), or name another one in "
            f"{MLFLOW_EXPERIMENT_NAME}",
        )
    return found.id
