"""Errors of invalid requests, compared with those of deepseek-recipe (the library)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.simulator import Simulator
from tests.simulator import reference_implementation as reference
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    TYPE_ERROR,
    function_tool,
    send_chat,
    send_request,
)


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as simulator:
        yield simulator


_CALL = {
    "role": "assistant",
    "content": "",
    "reasoning_content": "r",
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ],
}
_RESULT = {"role": "tool", "tool_call_id": "c1", "content": "x"}
_CALL_WITHOUT_REASONING = {k: v for k, v in _CALL.items() if k != "reasoning_content"}
_TWO_CALLS = _CALL["tool_calls"] + [{**_CALL["tool_calls"][0], "id": "c2"}]
_TOOL = {"type": "function", "function": {"name": "f"}}


def _image_message(detail):
    image = {"url": "data:image/png;base64,", "detail": detail}
    return {"role": "user", "content": [{"type": "image_url", "image_url": image}]}


# Valid and invalid values of each field. They are tested one by one and combined.
_FIELD_VALUES = {
    "model": ["gpt-4o", "", None, 3, "deepseek-v4-pro", "deepseek-v4-flash"],
    "messages": [
        [],
        None,
        "hi",
        [{"content": "x"}],
        [{"role": "developer", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": 3}],
        [{"role": "user", "content": [{"type": "foo"}]}],
        [{"role": "user", "content": [{"type": "text", "text": "json"}]}],
        [{"role": "user", "content": [{"type": "text"}]}],
        [GREETING, {"role": "assistant"}],
        [GREETING, {"role": "assistant", "content": None}, GREETING],
        [_RESULT],
        [GREETING, _RESULT],
        [GREETING, _CALL],
        [GREETING, _CALL, GREETING],
        [GREETING, _CALL, _RESULT],
        [GREETING, _CALL, _RESULT, _RESULT],
        [GREETING, _CALL, {"role": "tool", "content": "x"}],
        [GREETING, _CALL, {**_RESULT, "tool_call_id": "zz"}],
        [GREETING, {**_CALL, "tool_calls": _TWO_CALLS}, _RESULT],
        [GREETING, {**_CALL, "tool_calls": _TWO_CALLS}, _RESULT, _RESULT],
        [GREETING, {**_CALL, "tool_calls": []}, GREETING],
        [GREETING, {**_CALL, "tool_calls": [{**_TWO_CALLS[0], "type": "zz"}]}, _RESULT],
        [
            GREETING,
            {**_CALL, "tool_calls": [{"id": "c1", "type": "function"}]},
            _RESULT,
        ],
        [GREETING, {**_CALL, "reasoning_content": None}, _RESULT],
        [GREETING, {**_CALL, "reasoning_content": ""}, _RESULT],
        [GREETING, _CALL_WITHOUT_REASONING, _RESULT],
        [
            GREETING,
            _CALL_WITHOUT_REASONING,
            _RESULT,
            {"role": "assistant", "content": "k"},
            GREETING,
        ],
        [GREETING, {"role": "assistant", "content": "x", "prefix": True}],
        [GREETING, {"role": "assistant", "content": "x", "prefix": True}, GREETING],
        [{**GREETING, "prefix": True}, GREETING],
        [{"role": "latest_reminder", "content": "x"}],
        [{"role": 3, "content": "x"}],
        [3],
        [{"role": "user", "content": [3]}],
        [{"role": "user", "content": [{"type": 3}]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}],
        [_image_message(3)],
        [_image_message("zz")],
        [_image_message("low")],
        [{**GREETING, "name": 3}],
        [GREETING, {"role": "assistant", "content": "x", "prefix": 3}],
        [GREETING, {"role": "assistant", "content": "x", "reasoning_content": 3}],
        [GREETING, {**_CALL, "tool_calls": [3]}],
        [GREETING, {**_CALL, "tool_calls": [{**_TWO_CALLS[0], "function": 3}]}],
    ],
    "thinking": [
        THINKING_DISABLED,
        {"type": "zz"},
        {"type": "adaptive"},
        {"type": 3},
        {},
        None,
    ],
    "reasoning_effort": ["none", "minimal", "medium", "xhigh", "ultra", "zz", 3, {}],
    "temperature": [3, -1, 0, 2, "x", None, True],
    "top_p": [0, 2, 1, 0.5, []],
    "max_tokens": [0, 1, 393217, 393216, -1, 1.5, "1", None, 2**70],
    "frequency_penalty": [3, -2],
    "presence_penalty": [-3, 2],
    "n": [0, 1, 2, -1, "x", None, 300],
    "stop": ["x", "", 3, ["x"] * 16, ["x"] * 17, ["x", ""], [3], []],
    "stream": [True, False, "x"],
    "stream_options": [{}, {"include_usage": True}, {"include_usage": "x"}, None, 3],
    "response_format": [
        {"type": "json_object"},
        {"type": "text"},
        {"type": "zz"},
        {"type": 3},
        {"type": "json_schema"},
        {},
        "json",
    ],
    "tools": [
        [_TOOL],
        [_TOOL, _TOOL],
        [],
        None,
        [{"type": 3, "function": {"name": "f"}}],
        [3],
        [{"type": "function", "function": 3}],
        [function_tool(strict=3)],
        [{}],
        [{"type": "function"}],
        [{"type": "function", "function": {}}],
        [function_tool(name="a b")],
        [function_tool(name="")],
        [function_tool(name="a" * 128)],
        [function_tool(name="a" * 129)],
        [function_tool(parameters={"type": "string"})],
        [function_tool(parameters={})],
        [function_tool(parameters=True)],
        [function_tool(parameters="x")],
        [function_tool(description=3)],
        [_TOOL, function_tool(strict=True)],
    ],
    "tool_choice": [
        "none",
        "auto",
        "required",
        "zz",
        {"type": "zz"},
        {"type": "function"},
        {"type": "function", "function": 3},
        {"type": "function", "function": {}},
        {"function": {"name": "f"}},
        3,
        {"type": "function", "function": {"name": "f"}},
        {"type": "function", "function": {"name": "g"}},
    ],
    "logprobs": [True, False, 1],
    "top_logprobs": [0, 20, 21, -1, "x"],
    "seed": [-1, 5, 2**63],
    "user_id": ["a b", 3],
    "enable_thinking": [True],
}
_CASES = [(name, value) for name, values in _FIELD_VALUES.items() for value in values]
_CASE_IDS = [
    f"{n}_{i}" for n, values in _FIELD_VALUES.items() for i in range(len(values))
]
# Errors for which the live API is stricter than the library or has another message.
_LIVE_API_ERRORS = (
    "The supported API model names",
    "thinking options type cannot be disabled when reasoning_effort is set",
    "This response_format type is unavailable now",
)


def _simulator_error(simulator, body):
    """Returns the simulator's error in the form of `reference.request_error`."""
    response = send_request(simulator.base_url + "/beta", body=body)
    if response.status == 200:
        return None
    assert response.status == 400
    message = response.message
    if message.startswith(TYPE_ERROR):
        assert response.headers["content-type"] == "application/json"
        message = message.removeprefix(TYPE_ERROR).rpartition(" at line ")[0]
        return "type", message
    assert response.headers["content-type"] == "application/octet-stream"
    return "rule", message.partition(" (request_id: ")[0]


def _is_same_error(error, expected):
    if error and error[1].startswith(_LIVE_API_ERRORS):
        return True  # covered by test_live_api_validation
    if error and expected and error[0] == expected[0] == "type":
        # Only the live API starts with the path of the field: `messages[0].role: `.
        return error[1].endswith(expected[1])
    return error == expected


@pytest.mark.parametrize(("name", "value"), _CASES, ids=_CASE_IDS)
def test_error_for_one_field_equals_library_error(
    deepseek_recipe, simulator, name, value
):
    body = {"model": "deepseek-flash", "messages": [GREETING], name: value}
    expected = reference.request_error(deepseek_recipe, body)
    error = _simulator_error(simulator, body)
    assert _is_same_error(error, expected), (error, expected)


@pytest.mark.parametrize("tools", [value for name, value in _CASES if name == "tools"])
def test_error_for_tools_with_tool_choice_none_equals_library_error(
    deepseek_recipe, simulator, tools
):
    body = {"model": "deepseek-flash", "messages": [GREETING], "tools": tools}
    body["tool_choice"] = "none"
    expected = reference.request_error(deepseek_recipe, body)
    error = _simulator_error(simulator, body)
    assert _is_same_error(error, expected), (error, expected)


@pytest.mark.parametrize("name", ["messages", "model"])
def test_missing_field_error_equals_library_error(deepseek_recipe, simulator, name):
    body = {"model": "deepseek-flash", "messages": [GREETING]}
    del body[name]
    assert _is_same_error(
        _simulator_error(simulator, body),
        reference.request_error(deepseek_recipe, body),
    )


@settings(
    max_examples=150,
    deadline=None,
)
@given(st.lists(st.sampled_from(_CASES), min_size=2, max_size=4))
def test_first_of_several_errors_equals_library_error(
    deepseek_recipe, simulator, cases
):
    body = {"model": "deepseek-flash", "messages": [GREETING]}
    body.update(dict(cases))
    expected = reference.request_error(deepseek_recipe, body)
    error = _simulator_error(simulator, body)
    assert _is_same_error(error, expected), (body, error, expected)


@pytest.mark.parametrize(
    ("fields", "thinking", "effort"),
    [
        ({}, True, "high"),
        ({"thinking": THINKING_DISABLED}, False, None),
        ({"reasoning_effort": "none"}, False, None),
        ({"reasoning_effort": "none", "thinking": {"type": "enabled"}}, True, "high"),
        ({"reasoning_effort": "minimal"}, True, "low"),
        ({"reasoning_effort": "medium"}, True, "high"),
        ({"reasoning_effort": "xhigh"}, True, "xhigh"),
        ({"reasoning_effort": "ultra"}, True, "max"),
        ({"thinking": {"type": "adaptive"}}, True, "high"),
    ],
)
def test_thinking_and_effort_equal_library_values(
    deepseek_recipe, simulator, fields, thinking, effort
):
    from examples.simulator._chat_request import ChatRequest

    body = {"model": "deepseek-flash", "messages": [GREETING], **fields}
    conversation = reference.convert_request(deepseek_recipe, body).conversation
    request = ChatRequest.from_body(body)
    assert (request.thinking, request.effort) == (thinking, effort)
    assert conversation.thinking_mode == thinking
    assert conversation.reasoning_effort == effort
    message = send_chat(simulator.base_url, **fields).json["choices"][0]["message"]
    assert ("reasoning_content" in message) == thinking
