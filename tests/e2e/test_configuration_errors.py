"""Trouble on the way to MLflow: told once, with what to do, and not the agent's."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture
def undisturbed(agent):
    """What the agent prints when nothing is recorded."""
    done = agent(OTEL_SDK_DISABLED="true")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("variables", "cause", "to_correct"),
    [
        pytest.param(
            {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"},
            "the connection failed",
            "MLFLOW_TRACKING_URI",
            id="MLflow is down",
        ),
        pytest.param(
            {"MLFLOW_EXPERIMENT_ID": "999999"},
            "experiment 999999 does not exist",
            "MLFLOW_EXPERIMENT_ID",
            id="the experiment does not exist",
        ),
    ],
)
def test_the_agent_runs_on_and_the_cause_is_told_once(
    agent, receiver, mlflow_uri, undisturbed, variables, cause, to_correct
):
    done = agent(**{"MLFLOW_TRACKING_URI": mlflow_uri} | variables)
    assert (done.returncode, done.stdout) == (0, undisturbed)
    told, counted = done.stderr.splitlines()
    assert cause in told
    assert to_correct in told
    assert "5" in counted
    # The other exporter is not touched by it.
    assert len(receiver.spans) == 5


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        pytest.param(
            {"MLFLOW_TRACKING_URI": "htp://127.0.0.1:5000"},
            "MLFLOW_TRACKING_URI must be the URL of an MLflow server, "
            "for example http://localhost:5000",
            id="misspelt URI",
        ),
        pytest.param(
            {"MLFLOW_EXPERIMENT_ID": "weather"},
            "MLFLOW_EXPERIMENT_ID must be the number of an experiment",
            id="a name for an id",
        ),
    ],
)
def test_a_malformed_setting_is_refused_by_name_while_the_agent_runs_on(
    agent, mlflow_uri, undisturbed, variables, complaint
):
    done = agent(**{"MLFLOW_TRACKING_URI": mlflow_uri} | variables)
    assert (done.returncode, done.stdout) == (0, undisturbed)
    assert f"ValueError: {complaint}" in done.stderr
