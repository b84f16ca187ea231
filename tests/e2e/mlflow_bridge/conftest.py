"""Runs programs under `opentelemetry-instrument`; they know nothing of us."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from examples.quickstart import _agent_run
from tests.e2e.conftest import ENVIRONMENT

from .ran import Run

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = Path(__file__).with_name("guide")


@pytest.fixture
def run(mlflow_uri, traces, simulator, receiver) -> Callable[..., Run]:
    def run(program: str, of_the_code: str = "", **variables: str) -> Run:
        experiment = f"one tree {uuid.uuid4()}"
        done = subprocess.run(
            [_agent_run.instrument(), sys.executable, PROGRAMS, f"run_{program}"],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_EXPERIMENT_NAME": experiment,
                # MLflow says in whispers that it could not start a span.
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
        assert done.returncode == 0, done.stderr
        for trouble in ("Failed to start", "not reach"):
            assert trouble not in done.stderr, done.stderr
        return Run(
            receiver, simulator, traces(f"{experiment}{of_the_code}"), done.stdout
        )

    return run
