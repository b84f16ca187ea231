"""Real servers: one MLflow for all of these tests, brought by the quickstart itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from examples.otlp_receiver import OtlpReceiver
from examples.quickstart import _agent_run
from examples.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from mlflow.entities import Trace

    Finished: TypeAlias = subprocess.CompletedProcess[str]

ROOT = Path(__file__).parents[2]
QUICKSTART = [sys.executable, "-m", "examples.quickstart"]
# What steers the programs under test comes from the test alone. Their coverage costs
# them half as much again, and other tests run every line.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("COVERAGE_", "DEEPSEEK_", "MLFLOW_", "OTEL_"))
}


@dataclass(frozen=True)
class Served:
    """The quickstart as it stands there under --serve."""

    output: str
    uri: str


@dataclass(frozen=True)
class Run:
    """A quickstart that is over, and what came where."""

    output: str
    trace: Trace
    receiver: OtlpReceiver
    simulator: Simulator


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """With nothing set, it brings simulator, receiver and MLflow."""
    # Where a shell runs the tests in the background, SIGINT is ignored by all of them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [*QUICKSTART, "--serve"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        try:
            output = ""
            for line in program.stdout:
                output += line
                if "until Ctrl-C" in line:
                    break
            else:
                pytest.fail(f"the quickstart ended:\n{output}")
            uri = re.search(r"(http://127\.0\.0\.1:\d+)/#/experiments", output)[1]
            yield Served(output, uri)
            program.send_signal(signal.SIGINT)
            assert program.wait(30) == 0
        finally:
            program.terminate()
    # Nobody is left behind on its port.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(uri).port)).close()


@pytest.fixture(scope="session")
def mlflow_uri(served: Served) -> str:
    return served.uri


@pytest.fixture(scope="session")
def run(mlflow_uri: str, traces: Callable[..., list[Trace]]) -> Iterator[Run]:
    """With everything set, it brings nothing."""
    with Simulator(pace=0.01) as simulator, OtlpReceiver() as receiver:
        done = _quickstart(
            DEEPSEEK_BASE_URL=simulator.base_url,
            MLFLOW_EXPERIMENT_NAME="quickstart",
            MLFLOW_TRACKING_URI=mlflow_uri,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (trace,) = traces("quickstart")
        yield Run(done.stdout, trace, receiver, simulator)


@pytest.fixture
def quickstart(
    mlflow_uri: str, simulator: Simulator, receiver: OtlpReceiver
) -> Callable[..., Finished]:
    """Runs the quickstart; keywords are its variables."""

    def run(**variables: str) -> Finished:
        return _quickstart(
            **{
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_TRACKING_URI": mlflow_uri,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            }
            | variables
        )

    return run


def _quickstart(**variables: str) -> Finished:
    return subprocess.run(
        QUICKSTART,
        cwd=ROOT,
        env=ENVIRONMENT | {"DEEPSEEK_API_KEY": "sk-e2e"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def traces(mlflow_uri: str) -> Callable[[str], list[Trace]]:
    """What MLflow has in an experiment, by its name."""
    from mlflow import MlflowClient

    client = MlflowClient(mlflow_uri)

    def of(experiment: str) -> list[Trace]:
        found = client.get_experiment_by_name(experiment)
        return list(client.search_traces(locations=[found.experiment_id]))

    return of


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
def agent(simulator: Simulator, receiver: OtlpReceiver) -> Callable[..., Finished]:
    """Runs the agent under `opentelemetry-instrument`; keywords are its variables."""

    def run(**variables: str) -> Finished:
        return subprocess.run(
            [_agent_run.instrument(), sys.executable, _agent_run.AGENT],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_API_KEY": "sk-e2e",
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                "OTEL_LOGS_EXPORTER": "otlp",
                "OTEL_METRICS_EXPORTER": "otlp",
                "OTEL_SERVICE_NAME": "e2e",
                "OTEL_TRACES_EXPORTER": "otlp,mlflow",
            }
            | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
