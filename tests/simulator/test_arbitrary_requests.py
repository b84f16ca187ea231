"""Whatever is asked, there is an answer: never a crash, never silence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.simulator import Simulator
from tests.simulator.http_requests import HI, OFF, ask, chat

_MANY = settings(max_examples=150, deadline=None)
_WORD = st.sampled_from(
    """
    type properties required enum anyOf $ref items default string object array null #
    #/properties/type city format role user content text name tools function date
    """.split()  # noqa: SIM905  # as a list it is a page
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**64) | st.floats(0, 3) | _WORD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_WORD, inner, max_size=4)
    ),
    max_leaves=12,
)
_NAMES = """
    messages model thinking reasoning_effort max_tokens temperature top_p n stop stream
    stream_options response_format tools tool_choice logprobs top_logprobs user_id
    safety_check frequency_penalty seed prompt suffix echo
"""


@pytest.fixture(scope="module")
def deepseek():
    with Simulator() as simulator:
        yield simulator


@_MANY
@given(st.dictionaries(st.sampled_from(_NAMES.split()), _JSON, max_size=4))
def test_any_value_in_any_field_is_answered_or_refused(deepseek, fields):
    for path in ("/chat/completions", "/beta/completions"):
        whole = {"model": "deepseek-flash", "messages": [HI], "prompt": "x", **fields}
        assert ask(deepseek.base_url, path, whole).status in (200, 400, 422)


@_MANY
@given(_JSON)
def test_any_body_is_answered_or_refused(deepseek, body):
    assert ask(deepseek.base_url, body=json.dumps(body).encode()).status in (400, 422)


@_MANY
@given(
    st.dictionaries(_WORD, _JSON, max_size=4),
    st.sampled_from(["Oslo at 3 on 2026-11-22", "the city", "text type"]),
    st.sampled_from(["auto", "required"]),
)
def test_any_schema_of_a_tool_is_survived(deepseek, schema, question, choice):
    function = {"name": "city", "parameters": {**schema, "type": "object"}}
    tool = {"type": "function", "function": function}
    message = {"role": "user", "content": question}
    answer = chat(
        deepseek.base_url, message, tools=[tool], tool_choice=choice, thinking=OFF
    )
    assert answer.status == 200
    if choice == "required":
        assert answer.json["choices"][0]["finish_reason"] == "tool_calls"


def test_a_schema_that_holds_itself_is_filled_to_an_end(deepseek):
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#"}},
        "required": ["name"],
    }
    tool = {"type": "function", "function": {"name": "node", "parameters": node}}
    loop = {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}
    other = {"type": "function", "function": {"name": "loop", "parameters": loop}}
    for one in (tool, other):
        message = {"role": "user", "content": "A node and a loop for Ada"}
        assert chat(deepseek.base_url, message, tools=[one]).status == 200


@pytest.mark.parametrize("text", ["A" + " " * 300_000, "(" * 300_000, "1-" * 300_000])
def test_a_long_question_takes_no_longer(deepseek, text):
    message = {"role": "user", "content": text}
    assert chat(deepseek.base_url, message, thinking=OFF).status == 200
