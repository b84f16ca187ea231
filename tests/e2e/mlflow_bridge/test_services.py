"""Under the server span of a web request."""

from __future__ import annotations

import pytest
from dirty_equals import IsPartialDict

from .ran import ANSWER, CHAT, QUESTION, check_totals, ids

pytestmark = pytest.mark.e2e

AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "1"}


@pytest.mark.parametrize(
    ("program", "agents", "ours", "theirs"),
    [
        ("served", ["async_agent"], {}, "true"),
        ("served", ["async_agent"], AT_ONCE, "false"),
        ("served_from_a_thread", ["run_tool_agent"], {}, "true"),
        ("served_twice", ["run_tool_agent"] * 2, {}, "true"),
        ("served_twice", ["run_tool_agent"] * 2, AT_ONCE, "false"),
        ("served_twice_over_time", ["run_tool_agent"] * 2, AT_ONCE, "true"),
        ("served_gathered", ["async_agent"] * 2, {}, "true"),
    ],
)
def test_under_a_web_request_agents_are_in_its_tree(run, program, agents, ours, theirs):
    ran = run(program, **ours, MLFLOW_USE_BATCH_SPAN_PROCESSOR=theirs)
    ((request, beneath),) = ran.in_mlflow
    assert request == "POST /ask"
    found = [one for one in flat(beneath) if one[0] in agents]
    assert found == [(agent, [CHAT, CHAT, "get_weather"]) for agent in agents]
    ((request, beneath),) = ran.at_otlp
    assert request == "POST /ask"
    assert [one for one in flat(beneath) if one[0].startswith("invoke_agent")] == [
        (f"invoke_agent {agent}", [CHAT, CHAT, "execute_tool get_weather"])
        for agent in agents
    ]
    info = ran.trace.info
    assert (info.tags["mlflow.traceName"], info.state) == (agents[0], "OK")
    assert QUESTION in info.request_preview
    assert ANSWER in info.response_preview
    assert sorted(ids(ran.receiver.spans)) == sorted(
        (at_otlp_name(span), span.trace_id[3:], span.span_id, span.parent_id or "")
        for span in ran.trace.data.spans
    )
    check_totals(ran)


def at_otlp_name(span):
    operation = {"AGENT": "invoke_agent ", "TOOL": "execute_tool "}
    return operation.get(span.span_type, "") + span.name


def test_what_the_program_says_of_its_trace_is_that_of_the_web_request(run):
    ran = run("served_and_updated")
    ((request, beneath),) = ran.in_mlflow
    assert request == "POST /ask"
    agent = ("run_tool_agent", [CHAT, CHAT, "get_weather"])
    assert ("tagged", [agent]) in flat(beneath)
    info = ran.trace.info
    assert info.trace_id in ran.output
    assert info.client_request_id == "request-1"
    assert info.tags == IsPartialDict({"desk": "north", "mlflow.traceName": "tagged"})
    assert info.trace_metadata == IsPartialDict(
        {
            "release": "7",
            "mlflow.trace.session": "talk",
            "mlflow.trace.user": "ada",
        }
    )
    check_totals(ran)


def test_with_mlflows_own_way_the_web_request_is_in_the_tree(run):
    ran = run("served_in_one_tree")
    ((request, beneath),) = ran.in_mlflow
    assert request == "POST /ask"
    assert ("run_tool_agent", [CHAT, CHAT, "get_weather"]) in flat(beneath)
    assert ran.trace.info.state == "OK"
    assert {span.trace_id for span in ran.receiver.spans} == {
        ran.trace.info.trace_id[3:]
    }
    check_totals(ran)


def flat(beneath):
    for one in beneath:
        yield one
        if isinstance(one, tuple):
            yield from flat(one[1])
