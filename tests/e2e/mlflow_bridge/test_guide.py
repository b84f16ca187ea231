"""The guide's script, which ends right after its answer."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict

from .conftest import PROGRAMS
from .ran import ANSWER, CHAT, QUESTION, check, check_totals

pytestmark = pytest.mark.e2e

CAPTURED = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


def test_it_is_whole_though_the_script_ends_right_after_its_answer(run):
    ran = run("plain")
    check(ran)
    agent, first, tool, second = sorted(
        ran.trace.data.spans, key=lambda span: span.start_time_ns
    )
    assert [span.span_type for span in (agent, first, tool, second)] == [
        "AGENT",
        "CHAT_MODEL",
        "TOOL",
        "CHAT_MODEL",
    ]
    assert (agent.inputs, agent.outputs) == ({"question": QUESTION}, ANSWER)
    assert tool.inputs == {"city": "Paris"}
    assert tool.outputs == "The weather in Paris is always sunny."
    assert QUESTION in ran.trace.info.request_preview
    assert ANSWER in ran.trace.info.response_preview


def test_what_the_program_says_of_its_trace_arrives_though_it_ends_at_once(run):
    ran = run("updated")
    info = ran.trace.info
    assert ran.in_mlflow == [("agent", [CHAT, CHAT, "get_weather"])]
    assert info.tags == IsPartialDict({"desk": "north", "mlflow.traceName": "agent"})
    assert info.trace_metadata == IsPartialDict(
        {
            "release": "7",
            "mlflow.trace.session": "talk",
            "mlflow.trace.user": "ada",
            "mlflow.source.name": str(PROGRAMS),
        }
    )
    assert (info.client_request_id, info.state) == ("request-1", "ERROR")
    assert (info.request_preview, info.response_preview) == (
        "the question",
        "the answer",
    )
    check_totals(ran)


def test_at_the_otlp_endpoint_they_are_genai_spans_without_content(run):
    ran = run("plain")
    found = {span.name: span for span in ran.receiver.spans}
    agent = found["invoke_agent run_tool_agent"]
    tool = found["execute_tool get_weather"]
    assert agent.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "run_tool_agent",
    }
    assert tool.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
    }
    assert (agent.kind, tool.kind) == ("INTERNAL", "INTERNAL")
    assert agent.resource == found[CHAT].resource
    bodies = b"".join(request.body for request in ran.receiver.requests)
    assert bodies
    for content in (b"Paris", b"sunny", b"mlflow.spanInputs"):
        assert content not in bodies


def test_content_is_there_where_capture_is_on(run):
    found = {span.name: span for span in run("plain", **CAPTURED).receiver.spans}
    agent = found["invoke_agent run_tool_agent"].attributes
    (asked,) = json.loads(agent["gen_ai.input.messages"])
    (answered,) = json.loads(agent["gen_ai.output.messages"])
    assert asked["parts"] == [{"type": "text", "content": QUESTION}]
    assert answered["parts"] == [{"type": "text", "content": ANSWER}]
    assert found["execute_tool get_weather"].attributes == IsPartialDict(
        {
            "gen_ai.tool.call.arguments": '{"city": "Paris"}',
            "gen_ai.tool.call.result": "The weather in Paris is always sunny.",
        }
    )


def test_switched_off_they_are_trees_of_their_own(run):
    ran = run("mlflow_first", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="mlflow")
    assert ran.at_otlp.count(CHAT) == 2
    assert len(ran.traces) == 2  # MLflow's own spans went to the OTLP endpoint alone
