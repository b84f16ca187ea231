"""What other backends see of a span that MLflow made."""

from __future__ import annotations

import json

import pytest
from opentelemetry.trace import SpanKind, Status, StatusCode

from opentelemetry.exporter.mlflow._mlflow_bridge._to_genai import (
    GenaiSpan,
    decode_attributes,
    to_genai,
)

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def as_mlflow(**attributes):
    """MLflow keeps every value as JSON."""
    return {
        name.replace("__", "."): json.dumps(value) for name, value in attributes.items()
    }


def of_type(spans, type_, name="weather", **more):
    return spans.make(name, as_mlflow(mlflow__spanType=type_, **more))


@pytest.mark.parametrize(
    ("type_", "operation", "named", "kind"),
    [
        ("AGENT", "invoke_agent", "gen_ai.agent.name", SpanKind.INTERNAL),
        ("TOOL", "execute_tool", "gen_ai.tool.name", SpanKind.INTERNAL),
        ("WORKFLOW", "invoke_workflow", "gen_ai.workflow.name", SpanKind.INTERNAL),
        ("CHAT_MODEL", "chat", None, SpanKind.CLIENT),
        ("LLM", "generate_content", None, SpanKind.CLIENT),
        ("EMBEDDING", "embeddings", None, SpanKind.CLIENT),
        ("RETRIEVER", "retrieval", None, SpanKind.CLIENT),
    ],
)
def test_span_type_becomes_operation_name(spans, type_, operation, named, kind):
    attributes = {"gen_ai.operation.name": operation}
    if named:
        attributes[named] = "weather"
    assert to_genai(of_type(spans, type_)) == GenaiSpan(
        f"{operation} weather", kind, attributes, []
    )


@pytest.mark.parametrize("type_", ["CHAIN", "UNKNOWN", "mine", ["AGENT"], None])
def test_span_type_without_an_operation_adds_no_attributes(spans, type_):
    span = of_type(spans, type_, user="ada")
    assert to_genai(span) == GenaiSpan(
        "weather", SpanKind.INTERNAL, {"user": "ada"}, []
    )


def test_content_is_left_out_unless_it_is_captured(spans):
    span = of_type(
        spans,
        "TOOL",
        mlflow__spanInputs={"city": "Paris"},
        mlflow__spanOutputs="sunny",
        mlflow__spanFunctionName="weather",
    )
    assert to_genai(span).attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
    }


@pytest.mark.parametrize("value", ["SPAN_ONLY", "span_and_event"])
def test_captured_content_of_a_tool_is_its_arguments_and_result(
    spans, monkeypatch, value
):
    monkeypatch.setenv(CAPTURE, value)
    span = of_type(
        spans,
        "TOOL",
        mlflow__spanInputs={"city": "Paris"},
        mlflow__spanOutputs={"sky": "clear"},
    )
    assert to_genai(span).attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.call.arguments": '{"city": "Paris"}',
        "gen_ai.tool.call.result": '{"sky": "clear"}',
    }


@pytest.mark.parametrize("value", ["EVENT_ONLY", "NO_CONTENT", "", "true"])
def test_content_is_left_out_if_it_is_captured_on_events_only(
    spans, monkeypatch, value
):
    monkeypatch.setenv(CAPTURE, value)
    span = of_type(spans, "TOOL", mlflow__spanOutputs="sunny")
    assert "sunny" not in str(to_genai(span))


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({"question": "Rain?"}, "Rain?"),
        ({"messages": ["Rain?"]}, '["Rain?"]'),
        ({"q": "Rain?", "n": 1}, '{"q": "Rain?", "n": 1}'),
        ({}, "{}"),
        ("Rain?", "Rain?"),
    ],
)
def test_captured_content_of_an_agent_is_its_messages(
    spans, monkeypatch, inputs, asked
):
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    span = of_type(spans, "AGENT", mlflow__spanInputs=inputs, mlflow__spanOutputs="No.")
    attributes = to_genai(span).attributes
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": asked}]}
    ]
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "No."}],
            "finish_reason": "stop",
        }
    ]


def test_a_retriever_has_no_content_attributes(spans, monkeypatch):
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    span = of_type(spans, "RETRIEVER", mlflow__spanInputs={"q": "Rain?"})
    assert to_genai(span).attributes == {"gen_ai.operation.name": "retrieval"}


def test_an_agent_without_outputs_has_no_output_messages(spans, monkeypatch):
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    attributes = to_genai(of_type(spans, "AGENT")).attributes
    assert set(attributes) == {"gen_ai.operation.name", "gen_ai.agent.name"}


def test_model_and_usage_have_the_names_of_the_conventions(spans):
    span = of_type(
        spans,
        "CHAT_MODEL",
        **{
            "mlflow.llm.model": "m",
            "mlflow.llm.provider": "p",
            "mlflow.chat.tokenUsage": {
                "input_tokens": 3,
                "output_tokens": 0,
                "cache_read_input_tokens": 1,
            },
        },
    )
    assert to_genai(span).attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.provider.name": "p",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.usage.cache_read.input_tokens": 1,
    }


def test_chunk_events_of_a_stream_are_content(spans, monkeypatch):
    with spans.tracer.start_as_current_span("a") as live:
        live.add_event("mlflow.chunk.item.0", {"mlflow.chunk.value": '"sunny"'})
        live.add_event("exception", {"exception.type": "LookupError"})
        live.set_status(Status(StatusCode.ERROR, "no"))
    (span,) = spans.take()
    assert [event.name for event in to_genai(span).events] == ["exception"]
    assert to_genai(span).attributes == {"error.type": "LookupError"}
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    assert len(to_genai(span).events) == 2


def test_an_error_without_an_exception_has_error_type_other(spans):
    with spans.tracer.start_as_current_span("a") as live:
        live.set_status(Status(StatusCode.ERROR))
    assert to_genai(spans.take()[0]).attributes == {"error.type": "_OTHER"}


@pytest.mark.parametrize(
    ("kept", "value"),
    [
        ('"a"', "a"),
        ("3", 3),
        ("2.5", 2.5),
        ("true", True),
        ("null", "null"),
        ('{"a": 1}', '{"a": 1}'),
        ("[1, 2]", "[1, 2]"),
        ("not JSON", "not JSON"),
        ("[" * 100_000, "[" * 100_000),
        (7, 7),
        ((1, 2), (1, 2)),
    ],
)
def test_attribute_values_are_decoded(kept, value):
    assert decode_attributes({"name": kept}) == {"name": value}


def test_missing_attributes_are_an_empty_dictionary():
    assert decode_attributes(None) == {}
