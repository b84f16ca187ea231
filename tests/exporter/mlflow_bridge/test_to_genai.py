"""The name, kind, attributes and events of a fluent span for other backends."""

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


def encode_attributes(**attributes):
    """MLflow stores every attribute value as JSON."""
    return {
        name.replace("__", "."): json.dumps(value) for name, value in attributes.items()
    }


def make_span(spans, span_type, name="weather", **attributes):
    return spans.make(name, encode_attributes(mlflow__spanType=span_type, **attributes))


@pytest.mark.parametrize(
    ("span_type", "operation", "name_attribute", "kind"),
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
def test_span_type_becomes_operation_name(
    spans, span_type, operation, name_attribute, kind
):
    attributes = {"gen_ai.operation.name": operation}
    if name_attribute:
        attributes[name_attribute] = "weather"
    assert to_genai(make_span(spans, span_type)) == GenaiSpan(
        f"{operation} weather", kind, attributes, []
    )


@pytest.mark.parametrize("span_type", ["CHAIN", "UNKNOWN", "mine", ["AGENT"], None])
def test_span_type_without_an_operation_adds_no_attributes(spans, span_type):
    span = make_span(spans, span_type, user="ada")
    assert to_genai(span) == GenaiSpan(
        "weather", SpanKind.INTERNAL, {"user": "ada"}, []
    )


def test_content_is_omitted_by_default(spans):
    span = make_span(
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
    span = make_span(
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
def test_content_is_omitted_if_captured_only_on_events(spans, monkeypatch, value):
    monkeypatch.setenv(CAPTURE, value)
    span = make_span(spans, "TOOL", mlflow__spanOutputs="sunny")
    assert "sunny" not in str(to_genai(span))


@pytest.mark.parametrize(
    ("inputs", "message_text"),
    [
        ({"question": "Rain?"}, "Rain?"),
        ({"messages": ["Rain?"]}, '["Rain?"]'),
        ({"q": "Rain?", "n": 1}, '{"q": "Rain?", "n": 1}'),
        ({}, "{}"),
        ("Rain?", "Rain?"),
    ],
)
def test_captured_content_of_an_agent_is_its_messages(
    spans, monkeypatch, inputs, message_text
):
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    span = make_span(
        spans, "AGENT", mlflow__spanInputs=inputs, mlflow__spanOutputs="No."
    )
    attributes = to_genai(span).attributes
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": message_text}]}
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
    span = make_span(spans, "RETRIEVER", mlflow__spanInputs={"q": "Rain?"})
    assert to_genai(span).attributes == {"gen_ai.operation.name": "retrieval"}


def test_an_agent_without_outputs_has_no_output_messages(spans, monkeypatch):
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    attributes = to_genai(make_span(spans, "AGENT")).attributes
    assert set(attributes) == {"gen_ai.operation.name", "gen_ai.agent.name"}


def test_model_and_usage_attributes_follow_the_genai_conventions(spans):
    span = make_span(
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


def test_chunk_events_are_omitted_unless_content_is_captured(spans, monkeypatch):
    with spans.tracer.start_as_current_span("a") as span:
        span.add_event("mlflow.chunk.item.0", {"mlflow.chunk.value": '"sunny"'})
        span.add_event("exception", {"exception.type": "LookupError"})
        span.set_status(Status(StatusCode.ERROR, "no"))
    (finished_span,) = spans.take()
    assert [event.name for event in to_genai(finished_span).events] == ["exception"]
    assert to_genai(finished_span).attributes == {"error.type": "LookupError"}
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    assert len(to_genai(finished_span).events) == 2


def test_an_error_without_an_exception_has_error_type_other(spans):
    with spans.tracer.start_as_current_span("a") as span:
        span.set_status(Status(StatusCode.ERROR))
    assert to_genai(spans.take()[0]).attributes == {"error.type": "_OTHER"}


@pytest.mark.parametrize(
    ("stored_value", "expected_value"),
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
def test_attribute_values_are_decoded(stored_value, expected_value):
    attributes = decode_attributes({"name": stored_value})
    assert attributes == {"name": expected_value}


def test_missing_attributes_are_an_empty_dictionary():
    assert decode_attributes(None) == {}
