"""In every order of arrival, and whatever is set in MLflow, and when."""

from __future__ import annotations

import pytest

from .ran import CHAT, check, check_totals

pytestmark = pytest.mark.e2e

AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "1"}


# Each two of them in each way.
@pytest.mark.parametrize(
    ("program", "ours", "theirs"),
    [
        ("mlflow_first", {}, "true"),
        ("mlflow_first", AT_ONCE, "false"),
        ("mlflow_last", {}, "false"),
        ("mlflow_last", AT_ONCE, "true"),
    ],
)
def test_the_totals_are_right_whoever_comes_first(run, program, ours, theirs):
    check(run(program, **ours, MLFLOW_USE_BATCH_SPAN_PROCESSOR=theirs))


def test_the_totals_of_many_calls_are_right(run):
    ran = run("twelve_calls", **AT_ONCE)
    assert ran.in_mlflow == [("agent", [CHAT] * 12 + ["get_weather"] * 6)]
    check_totals(ran)


def test_a_stream_that_is_read_after_the_agent_returned_counts(run):
    check(run("stream_read_later", **AT_ONCE), "streaming_agent")


def test_the_server_and_the_experiment_may_be_set_before(run):
    check(run("set_before"))


def test_the_server_and_the_experiment_may_be_set_between(run):
    check(run("set_between"), number=3)


@pytest.mark.parametrize("ours", [{}, AT_ONCE], ids=["ours batched", "ours at once"])
def test_in_a_program_that_stays_mlflows_experiment_prevails(run, ours):
    check(run("other_experiment", " of the code", **ours))
