"""Runs published programs with real servers."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient

from examples.otlp_receiver import OtlpReceiver
from examples.quickstart._agent_run import opentelemetry_instrument
from examples.quickstart.mlflow_server import MlflowServer
from examples.simulator import Simulator
from tests.e2e.conftest import ENVIRONMENT

from .telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(scope="session")
def mlflow_server() -> Iterator[MlflowServer]:
    with MlflowServer() as server:
        yield server


@pytest.fixture
def pace() -> float:
    """Seconds between two chunks of an answer."""
    return 0.0


@pytest.fixture
def telemetry(mlflow_server: MlflowServer, pace: float) -> Iterator[Telemetry]:
    """What a program under `opentelemetry-instrument` with `environment` records."""
    with Simulator(pace=pace) as simulator, OtlpReceiver() as receiver:
        client = MlflowClient(mlflow_server.uri)
        yield Telemetry(simulator, receiver, client, f"published {uuid.uuid4()}")


@pytest.fixture
def environment(telemetry: Telemetry, mlflow_server: MlflowServer) -> dict[str, str]:
    """The environment that the user of a published program sets."""
    base_url = telemetry.simulator.base_url
    return ENVIRONMENT | {
        "DEEPSEEK_API_KEY": "sk-published",
        "DEEPSEEK_BASE_URL": base_url,
        "MLFLOW_EXPERIMENT_NAME": telemetry.experiment,
        "MLFLOW_TRACKING_URI": mlflow_server.uri,
        "OTEL_EXPORTER_OTLP_ENDPOINT": telemetry.receiver.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(base_url).netloc,
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_TRACES_EXPORTER": "otlp,mlflow",
    }


@pytest.fixture
def run_program(
    environment: dict[str, str],
) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """A function that runs a program under `opentelemetry-instrument`."""

    def run(program: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [opentelemetry_instrument(), sys.executable, PROGRAMS / f"{program}.py"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
