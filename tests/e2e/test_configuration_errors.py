"""Tests that export errors are logged once and do not affect the agent."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture
def output_without_telemetry(agent):
    """The output of the agent with the SDK disabled."""
    process = agent(OTEL_SDK_DISABLED="true")
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


@pytest.mark.parametrize(
    ("variables", "cause", "variable_name"),
    [
        pytest.param(
            {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"},
            "the connection failed",
            "MLFLOW_TRACKING_URI",
            id="MLflow is not running",
        ),
        pytest.param(
            {"MLFLOW_EXPERIMENT_ID": "999999"},
            "experiment 999999 does not exist",
            "MLFLOW_EXPERIMENT_ID",
            id="the experiment does not exist",
        ),
    ],
)
def test_agent_completes_and_the_cause_is_logged_once(
    agent,
    receiver,
    mlflow_uri,
    output_without_telemetry,
    variables,
    cause,
    variable_name,
):
    process = agent(**{"MLFLOW_TRACKING_URI": mlflow_uri} | variables)
    assert (process.returncode, process.stdout) == (0, output_without_telemetry)
    error, summary = process.stderr.splitlines()
    assert cause in error
    assert variable_name in error
    assert "5" in summary
    # The other exporter is not affected.
    assert len(receiver.spans) == 5


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param(
            {"MLFLOW_TRACKING_URI": "htp://127.0.0.1:5000"},
            "MLFLOW_TRACKING_URI must be the URL of an MLflow server, "
            "for example http://localhost:5000",
            id="misspelt scheme",
        ),
        pytest.param(
            {"MLFLOW_TRACKING_URI": "localhost:5000"},
            "MLFLOW_TRACKING_URI must be the URL of an MLflow server",
            id="no scheme",
        ),
        pytest.param(
            {"MLFLOW_EXPERIMENT_ID": "weather"},
            "MLFLOW_EXPERIMENT_ID must be the number of an experiment",
            id="name instead of id",
        ),
        pytest.param(
            {"OTEL_EXPORTER_MLFLOW_PRICES": "missing.toml"},
            "OTEL_EXPORTER_MLFLOW_PRICES must be the path of a price list",
            id="missing price list",
        ),
        pytest.param(
            {"OTEL_EXPORTER_MLFLOW_REDACT": "missing:redact"},
            "OTEL_EXPORTER_MLFLOW_REDACT must be the import path of a function",
            id="missing redaction function",
        ),
        pytest.param(
            {"OTEL_EXPORTER_MLFLOW_TIMEOUT": "abc"},
            "OTEL_EXPORTER_MLFLOW_TIMEOUT must be a number of seconds",
            id="timeout is not a number",
        ),
    ],
)
def test_invalid_setting_is_logged_in_one_line_and_switches_off_only_mlflow(
    agent, receiver, output_without_telemetry, variables, message
):
    process = agent(**{"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"} | variables)
    assert (process.returncode, process.stdout) == (0, output_without_telemetry)
    (line,) = process.stderr.splitlines()
    assert line.startswith(f"Nothing is exported to MLflow: {message}")
    assert len(receiver.spans) == 5
