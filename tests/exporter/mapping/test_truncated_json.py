"""JSON that the SDK has cut to its limit for the length of attributes."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._mapping import UNPARSED, map_attributes

TEXT = 'The "whole" story of the sea.\n' * 9
CHAT_ATTRIBUTES = {
    "gen_ai.input.messages": json.dumps(
        [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": TEXT},
                    {"type": "reasoning", "content": TEXT},
                ],
            },
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": TEXT}],
                "finish_reason": "stop",
            }
        ]
    ),
}
FIRST_PARTS = '[{"role": "system", "parts": ['


def truncate(attributes, limit):
    return {
        name: value[:limit] if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def map_truncated(attributes, limit):
    return map_attributes(truncate(attributes, limit)).attributes


def test_complete_part_of_truncated_messages_is_shown():
    mapped = map_truncated(CHAT_ATTRIBUTES, 200)
    inputs = json.loads(mapped["mlflow.spanInputs"])
    outputs = json.loads(mapped["mlflow.spanOutputs"])
    first, second = inputs["messages"]
    assert first == {"role": "system", "content": "Be brief."}
    assert second["role"] == "user"
    assert second["content"].endswith("…")
    assert TEXT.startswith(second["content"][:-1])
    answer = outputs["choices"][0]["message"]["content"]
    assert len(answer) > 100
    assert TEXT.startswith(answer.removesuffix("…"))
    assert UNPARSED not in mapped
    assert not CHAT_ATTRIBUTES.keys() & mapped


def test_every_length_gives_valid_json():
    longest = max(map(len, CHAT_ATTRIBUTES.values()))
    for limit in range(longest + 1):
        mapped = map_truncated(CHAT_ATTRIBUTES, limit)
        for name in ("mlflow.spanInputs", "mlflow.spanOutputs"):
            if name in mapped:
                json.loads(mapped[name])
        # The beginning of a message without parts is not a message.
        assert ("mlflow.spanInputs" in mapped) == (limit >= len(FIRST_PARTS))


@pytest.mark.parametrize(
    ("attributes", "name", "value"),
    [
        (
            {"gen_ai.tool.call.arguments": '{"city": "Paris", "days": [1, 2'},
            "mlflow.spanInputs",
            {"city": "Paris", "days": [1, 2]},
        ),
        (
            {"gen_ai.tool.call.result": '[{"text": "Sun'},
            "mlflow.spanOutputs",
            [{"text": "Sun…"}],
        ),
        (
            {"gen_ai.retrieval.documents": '[{"id": "1", "content": "A"}, {"id": "2'},
            "mlflow.spanOutputs",
            [
                {"page_content": "A", "metadata": {"id": "1"}, "id": "1"},
                {"page_content": "", "metadata": {"id": "2…"}, "id": "2…"},
            ],
        ),
        (
            {"openinference.span.kind": "CHAIN", "input.value": '{"q": "What is'},
            "mlflow.spanInputs",
            {"q": "What is…"},
        ),
        (
            {"traceloop.entity.output": '{"outputs": ["a \\u12'},
            "mlflow.spanOutputs",
            {"outputs": ["a …"]},
        ),
    ],
)
def test_truncated_inputs_and_outputs_are_valid_json(attributes, name, value):
    assert json.loads(map_attributes(attributes).attributes[name]) == value


@pytest.mark.parametrize(
    "attributes",
    [
        {"input.value": '{"q": "What?"}'},
        {"input.value": "What is {"},
        {"input.value": "{name}, what is it?"},
        {"input.value": 7},
        {"output.value": ""},
    ],
)
def test_values_that_are_not_truncated_json_stay(attributes):
    assert map_attributes(attributes).attributes == attributes


def test_text_with_a_bracket_stays_as_the_result_of_a_tool():
    attributes = {"gen_ai.tool.call.result": "[no JSON"}
    assert map_attributes(attributes).attributes == {"mlflow.spanOutputs": "[no JSON"}
