"""Fixtures with real servers; the quickstart starts the MLflow of all these tests."""

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

    CompletedProcess: TypeAlias = subprocess.CompletedProcess[str]

ROOT = Path(__file__).parents[2]
QUICKSTART = [sys.executable, "-m", "examples.quickstart"]
# The environment without settings for the programs under test. Coverage is not measured
# in them, because it slows them by half and other tests cover every line.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("COVERAGE_", "DEEPSEEK_", "MLFLOW_", "OTEL_"))
}


@dataclass(frozen=True)
class RunningQuickstart:
    """A quickstart that runs with --serve."""

    output: str
    uri: str


@dataclass(frozen=True)
class QuickstartRun:
    """A completed quickstart and the telemetry that its servers received."""

    output: str
    trace: Trace
    receiver: OtlpReceiver
    simulator: Simulator


@pytest.fixture(scope="session")
def running_quickstart() -> Iterator[RunningQuickstart]:
    """Without any variable set, it starts the simulator, the receiver and MLflow."""
    # A shell that runs the tests in the background makes them ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [*QUICKSTART, "--serve"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            output = ""
            for line in process.stdout:
                output += line
                if "until Ctrl-C" in line:
                    break
            else:
                pytest.fail(f"the quickstart exited:\n{output}")
            uri = re.search(r"(http://127\.0\.0\.1:\d+)/#/experiments", output)[1]
            yield RunningQuickstart(output, uri)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.terminate()
    # The server has stopped listening.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(uri).port)).close()


@pytest.fixture(scope="session")
def mlflow_uri(running_quickstart: RunningQuickstart) -> str:
    return running_quickstart.uri


@pytest.fixture(scope="session")
def quickstart_run(
    mlflow_uri: str, traces: Callable[..., list[Trace]]
) -> Iterator[QuickstartRun]:
    """With every variable set, it starts no server."""
    with Simulator(pace=0.01) as simulator, OtlpReceiver() as receiver:
        process = _run_quickstart(
            DEEPSEEK_BASE_URL=simulator.base_url,
            MLFLOW_EXPERIMENT_NAME="quickstart",
            MLFLOW_TRACKING_URI=mlflow_uri,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        (trace,) = traces("quickstart")
        yield QuickstartRun(process.stdout, trace, receiver, simulator)


@pytest.fixture
def quickstart(
    mlflow_uri: str, simulator: Simulator, receiver: OtlpReceiver
) -> Callable[..., CompletedProcess]:
    """A function that runs the quickstart with the given environment variables."""

    def run(**variables: str) -> CompletedProcess:
        return _run_quickstart(
            **{
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_TRACKING_URI": mlflow_uri,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            }
            | variables
        )

    return run


def _run_quickstart(**variables: str) -> CompletedProcess:
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
    """A function that returns the traces of an experiment, by its name."""
    from mlflow import MlflowClient

    client = MlflowClient(mlflow_uri)

    def search(experiment_name: str) -> list[Trace]:
        experiment = client.get_experiment_by_name(experiment_name)
        return list(client.search_traces(locations=[experiment.experiment_id]))

    return search


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
def agent(
    simulator: Simulator, receiver: OtlpReceiver
) -> Callable[..., CompletedProcess]:
    """A function that runs the agent under `opentelemetry-instrument`."""

    def run(**variables: str) -> CompletedProcess:
        return subprocess.run(
            [_agent_run.opentelemetry_instrument(), sys.executable, _agent_run.AGENT],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_API_KEY": "sk-e2e",
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                # Nothing is logged about a decision.
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT",
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
