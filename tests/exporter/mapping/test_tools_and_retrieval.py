"""Tools, as they are offered and as they are called, and retrievals."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow import mlflow_attributes

from .conversation import dumped


@pytest.mark.parametrize(
    ("arguments", "shown"),
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
def test_a_tool_has_arguments_and_result(arguments, shown):
    assert mlflow_attributes(
        {"gen_ai.tool.call.arguments": arguments, "gen_ai.tool.call.result": arguments}
    ) == {"mlflow.spanInputs": shown, "mlflow.spanOutputs": shown}


def test_nan_in_a_message_does_not_break_the_page():
    mapped = mlflow_attributes(
        {"gen_ai.tool.definitions": '[{"name": "f", "parameters": {"max": NaN}}]'}
    )
    assert mapped["mlflow.chat.tools"] == (
        '[{"type": "function", "function": '
        '{"name": "f", "parameters": {"max": "NaN"}}}]'
    )


def test_a_property_of_several_types_does_not_hide_the_tools():
    """As strict tools have them: MLflow's page wants a text for a type."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": ["string", "null"], "description": "c"},
            "days": {"type": "integer"},
        },
        "required": ["city"],
    }
    tools = [{"type": "function", "name": "f", "parameters": schema}]
    mapped = mlflow_attributes({"gen_ai.tool.definitions": dumped(tools)})
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


def test_a_retrieval_has_a_query_and_documents():
    mapped = mlflow_attributes(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Where is Paris?",
            "gen_ai.retrieval.top_k": 2,
            # As OpenTelemetry's instrumentation of LangChain writes them, then others.
            "gen_ai.retrieval.documents": dumped(
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
