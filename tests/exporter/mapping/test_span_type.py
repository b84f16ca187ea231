"""The span type, which MLflow shows as an icon and can search for."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow import mlflow_attributes


@pytest.mark.parametrize(
    ("operation", "span_type"),
    [
        ("chat", "CHAT_MODEL"),
        ("create_agent", "AGENT"),
        ("embeddings", "EMBEDDING"),
        ("execute_tool", "TOOL"),
        ("fetch_response", "LLM"),
        ("generate_content", "LLM"),
        ("invoke_agent", "AGENT"),
        ("invoke_workflow", "WORKFLOW"),
        ("retrieval", "RETRIEVER"),
        ("text_completion", "LLM"),
    ],
)
def test_each_operation_has_a_span_type(operation, span_type):
    mapped = mlflow_attributes({"gen_ai.operation.name": operation})
    assert mapped["mlflow.spanType"] == span_type


@pytest.mark.parametrize("operation", ["plan", 7, ("chat",), None])
def test_unknown_operation_has_no_span_type(operation):
    attributes = {"gen_ai.operation.name": operation}
    assert mlflow_attributes(attributes) == attributes


@pytest.mark.parametrize("empty_type", ["null", "UNKNOWN"])
def test_empty_span_type_is_replaced(empty_type):
    assert mlflow_attributes({"mlflow.spanType": empty_type}) == {}
    chat = {"mlflow.spanType": empty_type, "gen_ai.operation.name": "chat"}
    assert mlflow_attributes(chat)["mlflow.spanType"] == "CHAT_MODEL"
