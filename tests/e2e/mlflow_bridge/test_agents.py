"""Every kind of agent."""

from __future__ import annotations

import pytest

from .ran import CHAT, check, check_totals

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
def test_every_kind_of_agent_has_one_tree(run, program, agent):
    check(run(program), agent)


def test_agents_at_the_same_time_have_a_tree_each(run):
    check(run("gathered"), "async_agent", number=2)


def test_a_tool_before_the_first_call_is_there(run):
    ran = run("tool_first")
    assert ran.in_mlflow == [("agent", [CHAT, CHAT, "get_weather", "get_weather"])]
    assert ran.at_otlp == [
        ("invoke_agent agent", [CHAT, CHAT, *["execute_tool get_weather"] * 2])
    ]
    check_totals(ran)


def test_a_tool_that_raises_is_an_error_on_both_sides(run):
    ran = run("tool_that_raises")
    assert ran.in_mlflow == [("run_tool_agent", ["broken_weather", CHAT])]
    assert ran.trace.info.state == "ERROR"
    failed = [span for span in ran.receiver.spans if span.status == "ERROR"]
    assert sorted((span.name, span.attributes["error.type"]) for span in failed) == [
        ("execute_tool broken_weather", "LookupError"),
        ("invoke_agent run_tool_agent", "LookupError"),
    ]
    check_totals(ran)
