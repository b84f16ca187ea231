"""Tests agents that are async, generators, threaded or concurrent."""

from __future__ import annotations

import pytest

from .agent_run import CHAT, assert_billed_totals, assert_complete_trees

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("program", "agent"),
    [
        ("async", "async_agent"),
        ("generator", "generator_agent"),
        ("async_generator", "async_generator_agent"),
        ("threaded", "threaded_agent"),
    ],
)
def test_every_kind_of_agent_has_one_tree(run_program, program, agent):
    assert_complete_trees(run_program(program), agent)


def test_concurrent_agents_have_one_tree_each(run_program):
    assert_complete_trees(run_program("concurrent"), "async_agent", number=2)


def test_tool_before_the_first_model_call_is_in_the_tree(run_program):
    run = run_program("tool_first")
    assert run.mlflow_trees == [("agent", [CHAT, CHAT, "get_weather", "get_weather"])]
    assert run.otlp_trees == [
        ("invoke_agent agent", [CHAT, CHAT, *["execute_tool get_weather"] * 2])
    ]
    assert_billed_totals(run)


def test_tool_that_raises_has_error_status_in_mlflow_and_otlp(run_program):
    run = run_program("tool_that_raises")
    assert run.mlflow_trees == [("run_tool_agent", ["broken_weather", CHAT])]
    assert run.trace.info.state == "ERROR"
    failed = [span for span in run.receiver.spans if span.status == "ERROR"]
    assert sorted((span.name, span.attributes["error.type"]) for span in failed) == [
        ("execute_tool broken_weather", "LookupError"),
        ("invoke_agent run_tool_agent", "LookupError"),
    ]
    assert_billed_totals(run)
