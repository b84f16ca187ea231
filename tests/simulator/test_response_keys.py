"""The keys of response bodies and chunks, and their order."""

from __future__ import annotations

import json
import re

import pytest

from tests.simulator import reference_implementation as reference
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    TWO_CITIES,
    WEATHER_TOOL,
    key_structure,
    key_structures,
    send_chat,
    send_request,
)

_BETA = "/beta/chat/completions"
_INCLUDE_USAGE = {"stream": True, "stream_options": {"include_usage": True}}
_LOGPROBS = {"logprobs": True, "top_logprobs": 2}
_TOOLS = {"messages": [TWO_CITIES], "tools": [WEATHER_TOOL]}
_PREFIX = [GREETING, {"role": "assistant", "content": "Well,", "prefix": True}]
_JSON = {
    "messages": [{"role": "user", "content": "json"}],
    "response_format": {"type": "json_object"},
}


def _events(raw):
    lines = [line for line in raw.split(b"\n\n") if line.startswith(b"data: {")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


@pytest.mark.parametrize(
    ("sample", "fields"),
    [
        ("chat_plain.json", {"thinking": THINKING_DISABLED}),
        ("chat_thinking.json", {}),
        ("chat_thinking_length_empty.json", {"max_tokens": 3}),
        ("chat_tool_calls_parallel.json", _TOOLS),
        ("chat_tool_calls_nonthinking.json", {**_TOOLS, "thinking": THINKING_DISABLED}),
        ("chat_json_mode.json", {**_JSON, "thinking": THINKING_DISABLED}),
        ("chat_logprobs.json", {**_LOGPROBS, "thinking": THINKING_DISABLED}),
        ("chat_logprobs_thinking.json", _LOGPROBS),
    ],
)
def test_body_has_same_keys_as_sample(simulator, samples, sample, fields):
    response = send_chat(simulator.base_url, **fields)
    recorded = (samples / sample).read_bytes()
    assert key_structure(response.json) == key_structure(json.loads(recorded))
    # Like DeepSeek: no space after a separator and no escaped letters.
    compact = json.dumps(response.json, ensure_ascii=False, separators=(",", ":"))
    assert response.body == compact.encode()


@pytest.mark.parametrize(
    ("sample", "fields"),
    [
        ("stream_plain.sse", {"thinking": THINKING_DISABLED, "stream": True}),
        (
            "stream_plain_include_usage.sse",
            {"thinking": THINKING_DISABLED, **_INCLUDE_USAGE},
        ),
        ("stream_thinking.sse", _INCLUDE_USAGE),
        ("stream_tool_calls_parallel.sse", {**_TOOLS, **_INCLUDE_USAGE}),
        ("stream_length_reasoning_only.sse", {"max_tokens": 3, **_INCLUDE_USAGE}),
        (
            "stream_logprobs.sse",
            {"thinking": THINKING_DISABLED, **_LOGPROBS, **_INCLUDE_USAGE},
        ),
    ],
)
def test_stream_has_same_keys_as_sample(simulator, samples, sample, fields):
    events = send_chat(simulator.base_url, **fields).events
    recorded = _events((samples / sample).read_bytes())
    assert key_structures(events) == key_structures(recorded)


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": THINKING_DISABLED},
        {},
        _TOOLS,
        {**_TOOLS, "thinking": THINKING_DISABLED},
        {"messages": _PREFIX},
        {"messages": _PREFIX, "thinking": THINKING_DISABLED},
        {"max_tokens": 3},
        {"max_tokens": 3, "thinking": THINKING_DISABLED},
        {"stop": "help", "thinking": THINKING_DISABLED},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "extra_fields", [{"stream": True}, _INCLUDE_USAGE], ids=["stream", "include_usage"]
)
def test_responses_have_same_keys_as_library(
    deepseek_recipe, simulator, fields, extra_fields
):
    """The simulator and the library encode the same model output."""
    body = {"model": "deepseek-flash", "messages": [GREETING], **fields}
    body_json = send_chat(simulator.base_url, path=_BETA, **body).json
    events = send_chat(simulator.base_url, path=_BETA, **body, **extra_fields).events
    choice = body_json["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls", [])]
    model_output = re.findall(r"\S+|\s+", message.get("reasoning_content", ""))
    if choice["finish_reason"] != "length" and model_output:
        model_output.append("</think>")
    model_output += re.findall(r"\S+|\s+", message["content"])
    if fields.get("stop"):
        model_output.append(fields["stop"])
    if calls:
        pairs = [(c["name"], json.loads(c["arguments"])) for c in calls]
        model_output += reference.tool_call_markup(pairs)
    finish_reason = "Length" if choice["finish_reason"] == "length" else "Stop"
    expected_events, expected_json = reference.encode_response(
        deepseek_recipe, {**body, **extra_fields}, model_output, finish_reason
    )
    assert key_structures(events) == key_structures(expected_events)
    assert key_structure(body_json) == key_structure(expected_json)
    assert choice["finish_reason"] == expected_json["choices"][0]["finish_reason"]
    assert message["content"] == expected_json["choices"][0]["message"]["content"]


@pytest.mark.parametrize("extra_fields", [{}, {"logprobs": 2}, {"echo": True}], ids=str)
def test_fim_has_same_keys_as_sample(simulator, samples, extra_fields):
    body = json.loads((samples / "request_fim_beta.json").read_bytes())["body"]
    if extra_fields.get("echo"):
        del body["suffix"]
    body_json = send_request(
        simulator.base_url, "/beta/completions", {**body, **extra_fields}
    ).json
    events = send_request(
        simulator.base_url,
        "/beta/completions",
        {**body, **extra_fields, **_INCLUDE_USAGE},
    ).events
    sample = "fim_logprobs.json" if "logprobs" in extra_fields else "fim.json"
    recorded = json.loads((samples / sample).read_bytes())
    names = [key for key, _ in key_structure(body_json)]
    assert names == [key for key, _ in key_structure(recorded)]
    assert list(body_json["choices"][0]) == list(recorded["choices"][0])
    if "logprobs" not in extra_fields:
        recorded = _events((samples / "fim.sse").read_bytes())
        assert key_structures(events) == key_structures(recorded)
    else:
        logprobs = body_json["choices"][0]["logprobs"]
        assert list(logprobs) == list(recorded["choices"][0]["logprobs"])
        assert "".join(logprobs["tokens"]) == body_json["choices"][0]["text"]
    assert (
        "".join(e["choices"][0]["text"] for e in events)
        == body_json["choices"][0]["text"]
    )
    assert body_json["choices"][0]["text"].startswith(body["prompt"]) == bool(
        extra_fields.get("echo")
    )


def test_models_and_balance_equal_samples(simulator, samples):
    for path, name in (("/models", "models.json"), ("/user/balance", "balance.json")):
        for base in ("", "/v1"):
            response = send_request(simulator.base_url + base, path, method="GET")
            assert response.body == (samples / name).read_bytes().rstrip()
    model = send_request(simulator.base_url, "/models/deepseek-flash", method="GET")
    assert (
        model.json
        == send_request(simulator.base_url, "/models", method="GET").json["data"][0]
    )
