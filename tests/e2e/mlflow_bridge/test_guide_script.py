"""Tests the script of MLflow's DeepSeek guide, which exits right after the answer."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict

from tests.exporter.mlflow_bridge.mlflow_names import OWN_CONTEXT, require_name

from .agent_run import (
    ANSWER,
    CHAT,
    QUESTION,
    assert_billed_totals,
    assert_complete_trees,
)
from .conftest import PROGRAMS

pytestmark = pytest.mark.e2e

CAPTURE_CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


def test_trace_is_complete_though_the_script_exits_at_once(run_program):
    run = run_program("plain")
    assert_complete_trees(run)
    agent, first, tool, second = sorted(
        run.trace.data.spans, key=lambda span: span.start_time_ns
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
    assert QUESTION in run.trace.info.request_preview
    assert ANSWER in run.trace.info.response_preview


def test_update_current_trace_arrives_though_the_script_exits_at_once(run_program):
    run = run_program("update_current_trace")
    info = run.trace.info
    assert run.mlflow_trees == [("agent", [CHAT, CHAT, "get_weather"])]
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
    assert_billed_totals(run)


def test_otlp_endpoint_has_genai_spans_without_content(run_program):
    run = run_program("plain")
    spans = {span.name: span for span in run.receiver.spans}
    agent = spans["invoke_agent run_tool_agent"]
    tool = spans["execute_tool get_weather"]
    assert agent.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "run_tool_agent",
    }
    assert tool.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
    }
    assert (agent.kind, tool.kind) == ("INTERNAL", "INTERNAL")
    assert agent.resource == spans[CHAT].resource
    bodies = b"".join(request.body for request in run.receiver.requests)
    assert bodies
    for content in (b"Paris", b"sunny", b"mlflow.spanInputs"):
        assert content not in bodies


def test_otlp_endpoint_has_content_if_capture_is_enabled(run_program):
    spans = {
        span.name: span
        for span in run_program("plain", **CAPTURE_CONTENT).receiver.spans
    }
    agent = spans["invoke_agent run_tool_agent"].attributes
    (input_message,) = json.loads(agent["gen_ai.input.messages"])
    (output_message,) = json.loads(agent["gen_ai.output.messages"])
    assert input_message["parts"] == [{"type": "text", "content": QUESTION}]
    assert output_message["parts"] == [{"type": "text", "content": ANSWER}]
    assert spans["execute_tool get_weather"].attributes == IsPartialDict(
        {
            "gen_ai.tool.call.arguments": '{"city": "Paris"}',
            "gen_ai.tool.call.result": "The weather in Paris is always sunny.",
        }
    )


def test_without_mlflow_instrumentor_model_calls_have_separate_traces(run_program):
    require_name(*OWN_CONTEXT)
    run = run_program(
        "flush_mlflow_first", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="mlflow"
    )
    assert run.otlp_trees.count(CHAT) == 2
    assert len(run.traces) == 2  # MLflow sent its own spans only to the OTLP endpoint
