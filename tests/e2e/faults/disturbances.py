"""What happens to MLflow while a program sends spans to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .fault_proxy import FaultProxy
    from .mlflow_backend import MlflowBackend


@dataclass(frozen=True)
class Site:
    """The place of a disturbance."""

    mlflow: MlflowBackend
    proxy: FaultProxy
    experiment_id: str


class Disturbance(Protocol):
    """Runs in a thread, from the moment in which the program starts to send."""

    def run(self, site: Site) -> None: ...


@dataclass(frozen=True)
class Outage:
    """MLflow is killed after `start` seconds, and is back after `duration`.

    Connections are refused until then. It is back later if its start takes longer.
    """

    start: float
    duration: float

    def run(self, site: Site) -> None:
        time.sleep(self.start)
        start = time.monotonic()
        site.proxy.pause()
        site.mlflow.kill_and_restart()
        site.mlflow.wait_until_running()
        time.sleep(max(0.0, start + self.duration - time.monotonic()))
        site.proxy.resume()


@dataclass(frozen=True)
class Refusal:
    """Connections are refused, as while MLflow is not running."""

    start: float
    duration: float

    def run(self, site: Site) -> None:
        time.sleep(self.start)
        site.proxy.pause()
        time.sleep(self.duration)
        site.proxy.resume()


@dataclass(frozen=True)
class KillInUpload:
    """MLflow is killed while it handles the first export after `start` seconds."""

    start: float

    def run(self, site: Site) -> None:
        time.sleep(self.start)
        while not site.proxy.has_open_exchange:
            time.sleep(0.001)
        time.sleep(0.01)
        site.mlflow.kill_and_restart()
        site.mlflow.wait_until_running()


@dataclass(frozen=True)
class DatabaseLock:
    """Another program holds the lock of MLflow's SQLite file."""

    start: float
    duration: float

    def run(self, site: Site) -> None:
        time.sleep(self.start)
        site.mlflow.lock_for(self.duration)


@dataclass(frozen=True)
class ExperimentDeletion:
    start: float

    def run(self, site: Site) -> None:
        time.sleep(self.start)
        site.mlflow.delete_experiment(site.experiment_id)
