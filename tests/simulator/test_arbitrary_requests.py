"""Property tests: every request gets a response."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.simulator import Simulator
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    send_chat,
    send_request,
)

_SETTINGS = settings(max_examples=150, deadline=None)
_WORD = st.sampled_from(
    """
    type properties required enum anyOf $ref items default string object array null #
    #/properties/type city format role user content text name tools function date
    """.split()  # noqa: SIM905  # a list would take a page
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**64) | st.floats(0, 3) | _WORD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_WORD, inner, max_size=4)
    ),
    max_leaves=12,
)
_FIELD_NAMES = """
    messages model thinking reasoning_effort max_tokens temperature top_p n stop stream
    stream_options response_format tools tool_choice logprobs top_logprobs user_id
    safety_check frequency_penalty seed prompt suffix echo
"""


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as simulator:
        yield simulator


@_SETTINGS
@given(st.dictionaries(st.sampled_from(_FIELD_NAMES.split()), _JSON, max_size=4))
def test_any_field_value_gets_a_completion_or_a_client_error(simulator, fields):
    for path in ("/chat/completions", "/beta/completions"):
        body = {
            "model": "deepseek-flash",
            "messages": [GREETING],
            "prompt": "x",
            **fields,
        }
        assert send_request(simulator.base_url, path, body).status in (200, 400, 422)


@_SETTINGS
@given(_JSON)
def test_any_json_body_gets_a_client_error(simulator, body):
    assert send_request(simulator.base_url, body=json.dumps(body).encode()).status in (
        400,
        422,
    )


@_SETTINGS
@given(
    st.dictionaries(_WORD, _JSON, max_size=4),
    st.sampled_from(["Oslo at 3 on 2026-11-22", "the city", "text type"]),
    st.sampled_from(["auto", "required"]),
)
def test_any_tool_schema_gets_a_completion(simulator, schema, question, choice):
    function = {"name": "city", "parameters": {**schema, "type": "object"}}
    tool = {"type": "function", "function": function}
    message = {"role": "user", "content": question}
    response = send_chat(
        simulator.base_url,
        message,
        tools=[tool],
        tool_choice=choice,
        thinking=THINKING_DISABLED,
    )
    assert response.status == 200
    if choice == "required":
        assert response.json["choices"][0]["finish_reason"] == "tool_calls"


def test_recursive_tool_schema_gets_a_completion(simulator):
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#"}},
        "required": ["name"],
    }
    node_tool = {"type": "function", "function": {"name": "node", "parameters": node}}
    loop = {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}
    loop_tool = {"type": "function", "function": {"name": "loop", "parameters": loop}}
    for tool in (node_tool, loop_tool):
        message = {"role": "user", "content": "A node and a loop for Ada"}
        assert send_chat(simulator.base_url, message, tools=[tool]).status == 200


@pytest.mark.parametrize("text", ["A" + " " * 300_000, "(" * 300_000, "1-" * 300_000])
def test_long_question_does_not_slow_down_the_answer(simulator, text):
    message = {"role": "user", "content": text}
    assert (
        send_chat(simulator.base_url, message, thinking=THINKING_DISABLED).status == 200
    )
