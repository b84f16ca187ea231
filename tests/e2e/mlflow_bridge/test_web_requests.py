"""Tests agents under the server span of a web request."""

from __future__ import annotations

import pytest
from dirty_equals import IsPartialDict

from tests.exporter.mlflow_bridge.mlflow_names import (
    CONTEXT_FROM_HEADERS,
    require_name,
)

from .agent_run import ANSWER, CHAT, QUESTION, assert_billed_totals, span_ids

pytestmark = pytest.mark.e2e

WITHOUT_DELAY = {"OTEL_BSP_SCHEDULE_DELAY": "1"}


@pytest.mark.parametrize(
    ("program", "agents", "variables", "mlflow_batch"),
    [
        ("served", ["async_agent"], {}, "true"),
        ("served", ["async_agent"], WITHOUT_DELAY, "false"),
        ("served_from_thread", ["run_tool_agent"], {}, "true"),
        ("served_twice", ["run_tool_agent"] * 2, {}, "true"),
        ("served_twice", ["run_tool_agent"] * 2, WITHOUT_DELAY, "false"),
        ("served_twice_with_flush", ["run_tool_agent"] * 2, WITHOUT_DELAY, "true"),
        ("served_concurrently", ["async_agent"] * 2, {}, "true"),
    ],
)
def test_agents_are_in_the_tree_of_the_web_request(
    run_program, program, agents, variables, mlflow_batch
):
    run = run_program(
        program, **variables, MLFLOW_USE_BATCH_SPAN_PROCESSOR=mlflow_batch
    )
    ((request, children),) = run.mlflow_trees
    assert request == "POST /ask"
    agent_nodes = [node for node in flatten(children) if node[0] in agents]
    assert agent_nodes == [(agent, [CHAT, CHAT, "get_weather"]) for agent in agents]
    ((request, children),) = run.otlp_trees
    assert request == "POST /ask"
    assert [
        node for node in flatten(children) if node[0].startswith("invoke_agent")
    ] == [
        (f"invoke_agent {agent}", [CHAT, CHAT, "execute_tool get_weather"])
        for agent in agents
    ]
    info = run.trace.info
    assert (info.tags["mlflow.traceName"], info.state) == (agents[0], "OK")
    assert QUESTION in info.request_preview
    assert ANSWER in info.response_preview
    assert sorted(span_ids(run.receiver.spans)) == sorted(
        (otlp_name(span), span.trace_id[3:], span.span_id, span.parent_id or "")
        for span in run.trace.data.spans
    )
    assert_billed_totals(run)


def otlp_name(span):
    operation = {"AGENT": "invoke_agent ", "TOOL": "execute_tool "}
    return operation.get(span.span_type, "") + span.name


def test_update_current_trace_applies_to_the_trace_of_the_web_request(run_program):
    run = run_program("served_with_update")
    ((request, children),) = run.mlflow_trees
    assert request == "POST /ask"
    agent = ("run_tool_agent", [CHAT, CHAT, "get_weather"])
    assert ("tagged", [agent]) in flatten(children)
    info = run.trace.info
    assert info.trace_id in run.output
    assert info.client_request_id == "request-1"
    assert info.tags == IsPartialDict({"desk": "north", "mlflow.traceName": "tagged"})
    assert info.trace_metadata == IsPartialDict(
        {
            "release": "7",
            "mlflow.trace.session": "talk",
            "mlflow.trace.user": "ada",
        }
    )
    assert_billed_totals(run)


def test_tracing_context_from_headers_puts_the_agent_under_the_web_request(run_program):
    require_name(*CONTEXT_FROM_HEADERS)
    run = run_program("served_with_context_from_headers")
    ((request, children),) = run.mlflow_trees
    assert request == "POST /ask"
    assert ("run_tool_agent", [CHAT, CHAT, "get_weather"]) in flatten(children)
    assert run.trace.info.state == "OK"
    assert {span.trace_id for span in run.receiver.spans} == {
        run.trace.info.trace_id[3:]
    }
    assert_billed_totals(run)


def flatten(nodes):
    for node in nodes:
        yield node
        if isinstance(node, tuple):
            yield from flatten(node[1])
