"""Tool definitions, tool calls and retrievals."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow import mlflow_attributes

from .chat_span import to_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"city": "P"}', '{"city": "P"}'),
        ("18 degrees", "18 degrees"),
        ("", ""),
        ("0", "0"),
        (False, "false"),
        ((), "[]"),
        ({"city": ("P",)}, '{"city": ["P"]}'),
    ],
)
def test_tool_arguments_and_result_become_inputs_and_outputs(value, text):
    assert mlflow_attributes(
        {"gen_ai.tool.call.arguments": value, "gen_ai.tool.call.result": value}
    ) == {"mlflow.spanInputs": text, "mlflow.spanOutputs": text}


def test_nan_in_a_tool_definition_becomes_a_string():
    mapped = mlflow_attributes(
        {"gen_ai.tool.definitions": '[{"name": "f", "parameters": {"max": NaN}}]'}
    )
    assert mapped["mlflow.chat.tools"] == (
        '[{"type": "function", "function": '
        '{"name": "f", "parameters": {"max": "NaN"}}}]'
    )


def test_property_with_several_types_gets_any_of():
    """Strict tools have such properties. MLflow's page needs a string as the type."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": ["string", "null"], "description": "c"},
            "days": {"type": "integer"},
        },
        "required": ["city"],
    }
    tools = [{"type": "function", "name": "f", "parameters": schema}]
    mapped = mlflow_attributes({"gen_ai.tool.definitions": to_json(tools)})
    assert json.loads(mapped["mlflow.chat.tools"]) == [
        {
            "type": "function",
            "function": {
                "name": "f",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "city": {
                            "description": "c",
                            "anyOf": [{"type": "string"}, {"type": "null"}],
                        },
                        "days": {"type": "integer"},
                    },
                    "required": ["city"],
                },
            },
        }
    ]


def test_retrieval_gets_query_and_documents():
    mapped = mlflow_attributes(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Where is Paris?",
            "gen_ai.retrieval.top_k": 2,
            # The first two are from OpenTelemetry's instrumentation of LangChain.
            "gen_ai.retrieval.documents": to_json(
                [
                    {"id": "d1", "score": 0.5},
                    {"id": "d2", "score": None},
                    {"content": "In France.", "metadata": {"source": "a.md"}},
                    {"page_content": {"x": 1}, "id": 7, "metadata": "m"},
                ]
            ),
        }
    )
    mapped["mlflow.spanInputs"] = json.loads(mapped["mlflow.spanInputs"])
    mapped["mlflow.spanOutputs"] = json.loads(mapped["mlflow.spanOutputs"])
    assert mapped == snapshot(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.top_k": 2,
            "mlflow.spanType": "RETRIEVER",
            "mlflow.spanInputs": {"query": "Where is Paris?", "top_k": 2},
            "mlflow.spanOutputs": [
                {
                    "page_content": "",
                    "metadata": {"id": "d1", "score": 0.5},
                    "id": "d1",
                },
                {"page_content": "", "metadata": {"id": "d2"}, "id": "d2"},
                {"page_content": "In France.", "metadata": {"source": "a.md"}},
                {"page_content": '{"x": 1}', "metadata": {"id": 7, "metadata": "m"}},
            ],
        }
    )
