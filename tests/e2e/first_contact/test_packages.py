"""Packages that are not installed, and an old MLflow."""

from __future__ import annotations

import pytest

from tests.exporter.conftest import run_fake_server
from tests.exporter.destinations.old_server import OldServer

from .conftest import IN_CODE

pytestmark = pytest.mark.e2e

DISTRO = "opentelemetry-distro"
INSTALL = "pip install 'opentelemetry-instrumentation-deepseek[mlflow]'"


@pytest.fixture(scope="module")
def readme_environment(new_environment):
    """What the README installs."""
    return new_environment("openai,mlflow", DISTRO)


def test_distro_is_not_installed(run, new_environment):
    python = new_environment("openai,mlflow")
    screen = run(python=python)
    assert screen.is_as_without_telemetry
    assert screen.line == (
        "OTEL_TRACES_EXPORTER has no effect, because no package configures "
        "OpenTelemetry's SDK. Install opentelemetry-distro."
    )
    screen = run(python=python, OTEL_TRACES_EXPORTER=None)
    assert screen.is_as_without_telemetry
    assert screen.line.endswith(
        "because no package configures OpenTelemetry's SDK. Install "
        "opentelemetry-distro."
    )


def test_extra_of_mlflow_is_not_installed(run, new_environment):
    python = new_environment("openai", DISTRO)
    screen = run(python=python)
    assert screen.is_as_without_telemetry
    assert screen.line.startswith("Nothing is exported to MLflow: ")
    assert INSTALL in screen.line

    # A program that exports elsewhere does not notice.
    screen = run(python=python, OTEL_TRACES_EXPORTER="none")
    assert screen.is_as_without_telemetry
    assert screen.lines == []

    screen = run(IN_CODE, automatic=False, python=python)
    assert screen.exit_code == 1
    assert screen.lines[-1].endswith(INSTALL)
    assert screen.lines.count("Traceback (most recent call last):") == 1

    command = ("-m", "opentelemetry.exporter.mlflow")
    screen = run(*command, automatic=False, python=python)
    assert (screen.exit_code, screen.output) == (1, "")
    assert screen.line.endswith(INSTALL)


def test_extra_of_openai_is_not_installed(run, new_environment):
    screen = run(python=new_environment("mlflow", DISTRO))
    assert screen.exit_code == 1
    assert screen.lines[-1] == "ModuleNotFoundError: No module named 'openai'"
    assert screen.lines.count("Traceback (most recent call last):") == 1


def test_default_of_the_exporters_is_not_installed(run, readme_environment):
    assert run(python=readme_environment).lines == []
    screen = run(python=readme_environment, OTEL_TRACES_EXPORTER=None)
    assert screen.is_as_without_telemetry
    assert screen.lines[0] == (
        "OpenTelemetry will not start, and nothing will be recorded: "
        "OTEL_TRACES_EXPORTER: otlp, the default, is not installed for grpc. Set "
        "OTEL_TRACES_EXPORTER=mlflow, or for an OTLP backend "
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf."
    )
    screen = run(
        python=readme_environment, OTEL_METRICS_EXPORTER=None, OTEL_LOGS_EXPORTER=None
    )
    assert screen.is_as_without_telemetry
    assert "Set OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none" in screen.lines[0]


@pytest.mark.parametrize("version", ["2.22.5", "3.0.1"])
def test_mlflow_is_too_old(run, version):
    """Both accept the requests of 3.1. The pages of MLflow 2 cannot show the traces."""
    with run_fake_server() as server:
        server.version = version
        OldServer(server)
        screen = run(
            MLFLOW_TRACKING_URI=server.uri,
            MLFLOW_EXPERIMENT_ID="7",
            MLFLOW_EXPERIMENT_NAME=None,
        )
    assert screen.is_as_without_telemetry
    assert screen.line.endswith(
        f"version {version} is too old, and may not show the traces that it accepts. "
        "Upgrade the server to version 3.1 or newer."
    )
