"""Runs, models, experiments and contexts: the same as with MLflow's autolog."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import mlflow
import pytest

from tests.e2e.mlflow_bridge.agent_run import trace_cost

from .conftest import read_traces

if TYPE_CHECKING:
    from .conftest import ProgramRun

pytestmark = pytest.mark.e2e

PLACES = ["call", "agent"]
NAMES = (
    "mlflow.sourceRun",
    "mlflow.modelId",
    "mlflow.trace.session",
    "mlflow.trace.user",
    "build",
)
TAGS = ("team", "more")
needs_context = pytest.mark.skipif(
    not hasattr(mlflow.tracing, "context"), reason="MLflow has no tracing.context"
)


def settings(run: ProgramRun):
    """What is known of each trace, with 1 for the first run of the program, …"""
    ids: dict[str, int] = {}
    return [
        [
            (
                {
                    name: (
                        ids.setdefault(value, len(ids)) if name in NAMES[:2] else value
                    )
                    for name, value in trace.info.trace_metadata.items()
                    if name in NAMES
                },
                {
                    name: value
                    for name, value in trace.info.tags.items()
                    if name in TAGS
                },
            )
            for trace in traces
        ]
        for traces in (run.traces, run.other_traces)
    ]


def assert_same_as_autolog(runs, place):
    """Return the run of this package, the last one."""
    *_, run = runs
    for other in runs:
        assert settings(run) == settings(other)
    assert len(run.receiver.spans) == len(run.simulator.exchanges) * (
        2 if place == "agent" else 1
    )
    for span in run.receiver.spans:
        assert not [name for name in span.attributes if name.startswith("mlflow.")]
    return run


@pytest.mark.parametrize("place", PLACES)
def test_traces_belong_to_the_run_around_the_call(run_beside_autolog, recorder, place):
    run = assert_same_as_autolog(
        run_beside_autolog(recorder, "source_run", place), place
    )
    first, second, third = run.traces
    assert first.info.trace_metadata["mlflow.sourceRun"] == run.printed["run"]
    assert "mlflow.sourceRun" in second.info.trace_metadata
    assert "mlflow.sourceRun" not in third.info.trace_metadata
    assert first.info.token_usage["total_tokens"] > 0
    assert trace_cost(first) > 0


def test_page_of_a_run_lists_its_trace(run_program, recorder, mlflow_uri):
    run = run_program(recorder, "source_run")
    (found,) = read_traces(mlflow_uri, run.experiment, run_id=run.printed["run"])
    assert found.info.trace_id == run.traces[0].info.trace_id


@pytest.mark.parametrize("place", PLACES)
def test_trace_is_in_the_experiment_of_the_run(run_beside_autolog, recorder, place):
    run = assert_same_as_autolog(
        run_beside_autolog(recorder, "run_of_another_experiment", place), place
    )
    assert (len(run.traces), len(run.other_traces)) == (0, 1)


def test_each_thread_has_its_run(run_program, recorder, mlflow_uri):
    run = run_program(recorder, "runs_of_threads")
    client = mlflow.MlflowClient(mlflow_uri)
    names = {
        client.get_run(trace.info.trace_metadata["mlflow.sourceRun"]).info.run_name: (
            trace.data.spans[0].inputs["messages"][0]["content"]
        )
        for trace in run.traces
    }
    assert names == {"ada": "I am ada.", "bob": "I am bob."}


@pytest.mark.parametrize("place", PLACES)
def test_traces_belong_to_the_active_model(run_beside_autolog, recorder, place):
    run = assert_same_as_autolog(
        run_beside_autolog(recorder, "active_model", place), place
    )
    assert run.trace.info.trace_metadata["mlflow.modelId"].startswith("m-")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "program",
    [
        "destination",
        pytest.param(
            "destination_of_a_thread",
            marks=pytest.mark.skipif(
                "context_local"
                not in inspect.signature(mlflow.tracing.set_destination).parameters,
                reason="MLflow has no destination of a context",
            ),
        ),
    ],
)
def test_traces_are_in_the_experiment_of_the_destination(
    run_beside_autolog, recorder, program, place
):
    run = assert_same_as_autolog(run_beside_autolog(recorder, program, place), place)
    assert (len(run.traces), len(run.other_traces)) == (1, 1)
    assert [trace.info.state for trace in run.traces + run.other_traces] == ["OK"] * 2


@needs_context
@pytest.mark.parametrize("place", PLACES)
def test_context_is_on_the_trace(run_beside_autolog, recorder, place):
    run = assert_same_as_autolog(run_beside_autolog(recorder, "context", place), place)
    first, second, third = settings(run)[0]
    assert first == (
        {"mlflow.trace.session": "s1", "mlflow.trace.user": "ada", "build": "7"},
        {"team": "red"},
    )
    assert (second[0]["build"], second[1]["more"]) == ("8", "1")
    assert third == ({}, {})
