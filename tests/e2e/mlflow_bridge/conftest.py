"""Runs programs without any reference to this package, auto-instrumented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from examples.quickstart import _agent_run
from tests.e2e.conftest import ENVIRONMENT

from .agent_run import AgentRun

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = Path(__file__).with_name("programs")
READ_TRACES = Path(__file__).with_name("read_traces.py")


@pytest.fixture(scope="session")
def mlflow_uri(request):
    """An MLflow server of this version, or TEST_MLFLOW_URI, of another version."""
    return (
        os.environ.get("TEST_MLFLOW_URI")
        or request.getfixturevalue("running_quickstart").uri
    )


@pytest.fixture(scope="session")
def traces(mlflow_uri):
    """A function that returns the traces of an experiment, by its name.

    TEST_MLFLOW_PYTHON, a Python with MLflow of the server's version, reads them: an old
    client does not find the spans of a new server.
    """
    from mlflow.entities import Trace

    python = os.environ.get("TEST_MLFLOW_PYTHON", sys.executable)

    def search(experiment_name: str):
        output = subprocess.check_output(
            [python, READ_TRACES, mlflow_uri, experiment_name],
            env=ENVIRONMENT,
            text=True,
        )
        return [Trace.from_dict(trace) for trace in json.loads(output)]

    return search


@pytest.fixture
def run_program(mlflow_uri, traces, simulator, receiver) -> Callable[..., AgentRun]:
    """A function that runs a program under `opentelemetry-instrument`.

    `experiment_suffix` is what the program appends to the name of its experiment.
    `creates_spans`: MLflow creates spans, and would log that it could not.
    """

    def run_program(
        program: str,
        experiment_suffix: str = "",
        *,
        creates_spans: bool = True,
        **variables: str,
    ) -> AgentRun:
        experiment = f"agent {uuid.uuid4()}"
        process = subprocess.run(
            [
                _agent_run.opentelemetry_instrument(),
                sys.executable,
                PROGRAMS,
                f"run_{program}",
            ],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_EXPERIMENT_NAME": experiment,
                # MLflow logs at level DEBUG that it could not start a span.
                "MLFLOW_LOGGING_LEVEL": "DEBUG",
                "MLFLOW_TRACKING_URI": mlflow_uri,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_TRACES_EXPORTER": "otlp,mlflow",
            }
            | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert process.returncode == 0, process.stderr
        assert "Cannot export" not in process.stderr, process.stderr
        if creates_spans:
            assert "Failed to start" not in process.stderr, process.stderr
        return AgentRun(
            receiver,
            simulator,
            traces(f"{experiment}{experiment_suffix}"),
            process.stdout,
            process.stderr,
        )

    return run_program
