"""Property tests: the mapping loses no attribute and changes no text."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping import MAPPING, UNPARSED

from .chat_span import CHAT_ATTRIBUTES, text_message, to_json

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
part = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                ["text", "reasoning", "tool_call", "tool_call_response", "blob", "uri"]
            )
        },
        optional={
            "content": json_values,
            "id": json_values,
            "name": json_values,
            "arguments": json_values,
            "response": json_values,
            "modality": st.just("image"),
            "uri": json_values,
        },
    ),
)
message = st.fixed_dictionaries(
    {}, optional={"role": json_values, "parts": st.lists(part), "name": json_values}
)
messages = st.lists(message | json_values).map(to_json)
known_names = st.sampled_from(
    sorted({*CHAT_ATTRIBUTES, *(row.name for row in MAPPING), "gen_ai.conversation.id"})
)
value = st.one_of(
    messages,
    st.text(st.characters()),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.text()).map(tuple),
    st.binary(),
)
REPLACED = {name for row in MAPPING for name in row.replaces}


@given(st.dictionaries(known_names | st.text(), value))
def test_mapping_keeps_all_other_attributes_and_is_idempotent(attributes):
    mapped = mlflow_attributes(attributes)
    changed = {"mlflow.spanType", "session.id", "user.id", UNPARSED}
    unchanged = attributes.keys() - REPLACED - changed
    assert {name: repr(mapped[name]) for name in unchanged} == {
        name: repr(attributes[name]) for name in unchanged
    }
    assert repr(mlflow_attributes(mapped)) == repr(mapped)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_mapping_keeps_the_text_of_each_message(texts):
    mapped = mlflow_attributes(
        {
            "gen_ai.input.messages": to_json(
                [text_message("user", text) for text in texts]
            ),
            "gen_ai.output.messages": to_json(
                [text_message("assistant", text) for text in texts]
            ),
        }
    )
    messages = json.loads(mapped["mlflow.spanInputs"])["messages"]
    choices = json.loads(mapped["mlflow.spanOutputs"])["choices"]
    assert [message["content"] for message in messages] == texts
    assert [choice["message"]["content"] for choice in choices] == texts
