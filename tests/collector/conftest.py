"""The real collector, between real spans and real servers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from examples.otelcol import HOW_TO_GET_IT, Collector, found
from examples.otlp_receiver import OtlpReceiver
from examples.quickstart.mlflow_server import MlflowServer
from examples.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Trace


@pytest.fixture(scope="session")
def otelcol() -> Path:
    program = found()
    if program is None:
        # Optional for who tries the tests, not for CI.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_GET_IT)
    return program


@pytest.fixture
def collector(otelcol, tmp_path) -> Iterator[Callable[..., Collector]]:
    """Makes collectors of these configurations; keywords are their variables."""
    made: list[Collector] = []

    def make(*configurations: str, **variables: str) -> Collector:
        folder = tmp_path / f"otelcol{len(made)}"
        made.append(Collector(otelcol, folder, *configurations, **variables))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def mlflow_uri() -> Iterator[str]:
    with MlflowServer() as server:
        yield server.uri


@pytest.fixture(scope="session")
def mlflow(mlflow_uri) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(mlflow_uri)


@pytest.fixture
def experiment(mlflow, request) -> str:
    """The id of an experiment of the test's own."""
    return mlflow.create_experiment(f"{request.node.name} {time.time_ns()}")


@pytest.fixture
def traces(mlflow) -> Callable[..., list[Trace]]:
    """What MLflow has in an experiment once `until` holds of it, oldest first."""

    def of(
        experiment: str, until: Callable[[list[Trace]], bool], patience: float = 60
    ) -> list[Trace]:
        ends = time.monotonic() + patience
        while True:
            found = mlflow.search_traces(
                locations=[experiment], order_by=["timestamp_ms ASC"]
            )
            if until(found) or time.monotonic() > ends:
                return list(found)
            time.sleep(0.3)

    return of


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver
