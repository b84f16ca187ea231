from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping import ROWS, UNREAD
from tests.exporter import mapping_table


def dumped(value):
    return json.dumps(value, ensure_ascii=False)


def said(role, content, **more):
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


QUESTION = dumped([said("user", "Weather?")])
ANSWER = dumped([said("assistant", "21 °C", finish_reason="stop")])

CHAT = MappingProxyType(
    {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-chat",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.stream": True,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.response.model": "deepseek-v4-flash",
        "gen_ai.response.id": "r-1",
        "gen_ai.response.finish_reasons": ("insufficient_system_resource",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "gen_ai.system_instructions": dumped([{"type": "text", "content": "Be kind."}]),
        "gen_ai.input.messages": QUESTION,
        "gen_ai.output.messages": ANSWER,
        "gen_ai.tool.definitions": dumped([{"type": "function", "name": "weather"}]),
        "deepseek.system_fingerprint": "fp",
    }
)


def test_a_chat_span_is_a_conversation():
    mapped = mlflow_attributes(CHAT)
    for name in ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.tools"):
        mapped[name] = json.loads(mapped[name])
    assert mapped == snapshot(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "deepseek",
            "gen_ai.request.model": "deepseek-chat",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 256,
            "gen_ai.request.stop_sequences": ("END",),
            "gen_ai.request.stream": True,
            "gen_ai.request.reasoning.level": "high",
            "gen_ai.response.model": "deepseek-v4-flash",
            "gen_ai.response.id": "r-1",
            "gen_ai.response.finish_reasons": ("insufficient_system_resource",),
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.reasoning.output_tokens": 3,
            "deepseek.system_fingerprint": "fp",
            "mlflow.spanType": "CHAT_MODEL",
            "mlflow.spanInputs": {
                "model": "deepseek-chat",
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": "Weather?"},
                ],
                "max_tokens": 256,
                "reasoning_effort": "high",
                "stop": ["END"],
                "stream": True,
                "temperature": 0.2,
            },
            "mlflow.message.format": "openai",
            "mlflow.spanOutputs": {
                "id": "r-1",
                "model": "deepseek-v4-flash",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": "21 °C"},
                        "finish_reason": "insufficient_system_resource",
                    }
                ],
            },
            "mlflow.chat.tools": [
                {"type": "function", "function": {"name": "weather"}}
            ],
        }
    )


def test_the_table_of_the_readme_is_that_of_the_code():
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    written = readme.partition("<!-- mapping -->\n")[2]
    assert written.partition("\n<!-- /mapping -->")[0] == mapping_table.table()


def test_what_is_given_does_not_change():
    given = dict(CHAT)
    mlflow_attributes(given)
    assert given == CHAT


def test_without_content_there_are_no_inputs_and_outputs():
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    assert mlflow_attributes(attributes) == {
        **attributes,
        "mlflow.spanType": "CHAT_MODEL",
    }
    assert mlflow_attributes(None) == {}


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


def test_what_mlflow_knows_already_goes_before_ours():
    own = {
        "mlflow.spanType": "PARSER",
        "mlflow.spanInputs": '"in"',
        "mlflow.spanOutputs": '"out"',
        "mlflow.chat.tools": "[]",
    }
    assert mlflow_attributes(CHAT | own) == CHAT | own


def test_the_format_of_foreign_inputs_stays():
    attributes = {
        "mlflow.message.format": "langchain",
        "gen_ai.output.messages": ANSWER,
    }
    assert mlflow_attributes(attributes)["mlflow.message.format"] == "langchain"


@pytest.mark.parametrize("name", ["session.id", "gen_ai.conversation.id"])
def test_a_session_is_a_text(name):
    assert mlflow_attributes({name: 42})["session.id"] == "42"


def test_the_session_goes_before_the_conversation():
    mapped = mlflow_attributes({"session.id": "s", "gen_ai.conversation.id": "c"})
    assert mapped == {"session.id": "s", "gen_ai.conversation.id": "c"}


@pytest.mark.parametrize(
    ("attributes", "user"),
    [
        ({"enduser.id": "e", "enduser.pseudo.id": "p"}, "e"),
        ({"enduser.pseudo.id": "p"}, "p"),
        ({"user.id": "u", "enduser.id": "e"}, "u"),
        ({"user.id": "", "enduser.id": "e"}, "e"),
    ],
)
def test_the_user_has_three_names(attributes, user):
    assert mlflow_attributes(attributes)["user.id"] == user


@pytest.mark.parametrize("operation", ["invoke_agent", "text_completion", "chat"])
def test_messages_are_messages_whatever_the_operation(operation):
    mapped = mlflow_attributes(
        {"gen_ai.operation.name": operation, "gen_ai.input.messages": QUESTION}
    )
    assert json.loads(mapped["mlflow.spanInputs"]) == {
        "messages": [{"role": "user", "content": "Weather?"}]
    }


def test_a_number_that_json_does_not_know_is_left_out_of_the_inputs():
    mapped = mlflow_attributes(
        {"gen_ai.input.messages": QUESTION, "gen_ai.request.temperature": float("nan")}
    )
    assert "temperature" not in json.loads(mapped["mlflow.spanInputs"])


def test_nan_in_a_message_does_not_break_the_page():
    mapped = mlflow_attributes(
        {"gen_ai.tool.definitions": '[{"name": "f", "parameters": {"max": NaN}}]'}
    )
    assert mapped["mlflow.chat.tools"] == (
        '[{"type": "function", "function": '
        '{"name": "f", "parameters": {"max": "NaN"}}}]'
    )


def test_structured_messages_are_read_as_well():
    mapped = mlflow_attributes({"gen_ai.input.messages": (said("user", "hi"),)})
    assert json.loads(mapped["mlflow.spanInputs"])["messages"] == [
        {"role": "user", "content": "hi"}
    ]


BROKEN = [
    "{",
    "",
    "text",
    "1",
    '"text"',
    "{}",
    "[1]",
    '[{"parts": 1}]',
    "[" * 100_000,
    "\ud800",
    7,
    True,
    b"bytes",
    ({"parts": [{"type": "tool_call", "arguments": b"bytes"}]},),
]


@pytest.mark.parametrize("name", ["gen_ai.input.messages", "gen_ai.output.messages"])
@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_message_attribute_stays_as_it_is(name, broken):
    assert mlflow_attributes({name: broken}) == {name: broken, UNREAD: (name,)}


def test_broken_instructions_keep_the_messages_from_being_moved():
    attributes = {
        "gen_ai.system_instructions": "{",
        "gen_ai.input.messages": QUESTION,
    }
    assert mlflow_attributes(attributes) == attributes | {
        UNREAD: ("gen_ai.system_instructions", "gen_ai.input.messages")
    }


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


def test_sound_is_a_sound():
    blob = {"type": "blob", "modality": "audio", "mime_type": "audio/wav"}
    messages = [{"role": "user", "parts": [{**blob, "content": "UklGRg=="}]}]
    mapped = mlflow_attributes({"gen_ai.input.messages": dumped(messages)})
    assert json.loads(mapped["mlflow.spanInputs"])["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    ]


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
    sorted({*CHAT, *(row.name for row in ROWS), "gen_ai.conversation.id"})
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
MOVED = {name for row in ROWS for name in row.instead}


@given(st.dictionaries(known | st.text(), value))
def test_mapping_loses_nothing_and_twice_is_once(attributes):
    mapped = mlflow_attributes(attributes)
    changed = {"mlflow.spanType", "session.id", "user.id", UNREAD}
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
