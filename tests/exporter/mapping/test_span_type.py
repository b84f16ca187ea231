"""The type of a span, which MLflow draws and searches by."""

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
def test_every_operation_has_its_type(operation, span_type):
    mapped = mlflow_attributes({"gen_ai.operation.name": operation})
    assert mapped["mlflow.spanType"] == span_type


@pytest.mark.parametrize("operation", ["plan", 7, ("chat",), None])
def test_an_unknown_operation_has_no_type(operation):
    attributes = {"gen_ai.operation.name": operation}
    assert mlflow_attributes(attributes) == attributes


@pytest.mark.parametrize("stamp", ["null", "UNKNOWN"])
def test_a_type_that_says_nothing_gives_way(stamp):
    assert mlflow_attributes({"mlflow.spanType": stamp}) == {}
    chat = {"mlflow.spanType": stamp, "gen_ai.operation.name": "chat"}
    assert mlflow_attributes(chat)["mlflow.spanType"] == "CHAT_MODEL"
