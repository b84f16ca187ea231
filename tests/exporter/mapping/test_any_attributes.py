"""Whatever the attributes are: nothing is lost, and no text changes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping import MAPPING, UNPARSED

from .conversation import CHAT, dumped, said

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
messages = st.lists(message | json_values).map(dumped)
known = st.sampled_from(
    sorted({*CHAT, *(row.name for row in MAPPING), "gen_ai.conversation.id"})
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
MOVED = {name for row in MAPPING for name in row.replaces}


@given(st.dictionaries(known | st.text(), value))
def test_mapping_loses_nothing_and_twice_is_once(attributes):
    mapped = mlflow_attributes(attributes)
    changed = {"mlflow.spanType", "session.id", "user.id", UNPARSED}
    kept = attributes.keys() - MOVED - changed
    assert {name: repr(mapped[name]) for name in kept} == {
        name: repr(attributes[name]) for name in kept
    }
    assert repr(mlflow_attributes(mapped)) == repr(mapped)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_the_text_of_every_message_survives(texts):
    mapped = mlflow_attributes(
        {
            "gen_ai.input.messages": dumped([said("user", text) for text in texts]),
            "gen_ai.output.messages": dumped(
                [said("assistant", text) for text in texts]
            ),
        }
    )
    asked = json.loads(mapped["mlflow.spanInputs"])["messages"]
    answered = json.loads(mapped["mlflow.spanOutputs"])["choices"]
    assert [message["content"] for message in asked] == texts
    assert [choice["message"]["content"] for choice in answered] == texts
