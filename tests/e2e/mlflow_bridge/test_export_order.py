"""Tests every order of export, and settings made in MLflow at different times."""

from __future__ import annotations

import pytest

from .agent_run import CHAT, assert_billed_totals, assert_complete_trees

pytestmark = pytest.mark.e2e

WITHOUT_DELAY = {"OTEL_BSP_SCHEDULE_DELAY": "1"}


# Covers every pair of values.
@pytest.mark.parametrize(
    ("program", "variables", "mlflow_batch"),
    [
        ("flush_mlflow_first", {}, "true"),
        ("flush_mlflow_first", WITHOUT_DELAY, "false"),
        ("flush_mlflow_last", {}, "false"),
        ("flush_mlflow_last", WITHOUT_DELAY, "true"),
    ],
)
def test_totals_are_right_in_every_export_order(
    run_program, program, variables, mlflow_batch
):
    assert_complete_trees(
        run_program(program, **variables, MLFLOW_USE_BATCH_SPAN_PROCESSOR=mlflow_batch)
    )


def test_totals_of_many_calls_are_right(run_program):
    run = run_program("twelve_calls", **WITHOUT_DELAY)
    assert run.mlflow_trees == [("agent", [CHAT] * 12 + ["get_weather"] * 6)]
    assert_billed_totals(run)


def test_stream_read_after_the_agent_returned_is_counted(run_program):
    assert_complete_trees(
        run_program("stream_read_later", **WITHOUT_DELAY), "streaming_agent"
    )


def test_server_and_experiment_set_before_the_first_span(run_program):
    assert_complete_trees(run_program("set_before"))


def test_server_and_experiment_set_between_traces(run_program):
    assert_complete_trees(run_program("set_between"), number=3)


@pytest.mark.parametrize("variables", [{}, WITHOUT_DELAY], ids=["batched", "at once"])
def test_set_experiment_takes_precedence_over_the_environment(run_program, variables):
    assert_complete_trees(run_program("other_experiment", " of the code", **variables))
