"""Keys of what is answered, and their order."""

from __future__ import annotations

import json
import re

import pytest

from tests.simulator import reference_implementation as oracle
from tests.simulator.http_requests import (
    CITIES,
    HI,
    OFF,
    WEATHER,
    ask,
    chat,
    shape,
    shapes,
)

_BETA = "/beta/chat/completions"
_NULLS = {"stream": True, "stream_options": {"include_usage": True}}
_LOGPROBS = {"logprobs": True, "top_logprobs": 2}
_TOOLS = {"messages": [CITIES], "tools": [WEATHER]}
_PREFIX = [HI, {"role": "assistant", "content": "Well,", "prefix": True}]
_JSON = {
    "messages": [{"role": "user", "content": "json"}],
    "response_format": {"type": "json_object"},
}


def _events(raw):
    lines = [one for one in raw.split(b"\n\n") if one.startswith(b"data: {")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


@pytest.mark.parametrize(
    ("sample", "fields"),
    [
        ("chat_plain.json", {"thinking": OFF}),
        ("chat_thinking.json", {}),
        ("chat_thinking_length_empty.json", {"max_tokens": 3}),
        ("chat_tool_calls_parallel.json", _TOOLS),
        ("chat_tool_calls_nonthinking.json", {**_TOOLS, "thinking": OFF}),
        ("chat_json_mode.json", {**_JSON, "thinking": OFF}),
        ("chat_logprobs.json", {**_LOGPROBS, "thinking": OFF}),
        ("chat_logprobs_thinking.json", _LOGPROBS),
    ],
)
def test_a_whole_answer_has_the_keys_of_the_sample(deepseek, samples, sample, fields):
    answer = chat(deepseek.base_url, **fields)
    recorded = (samples / sample).read_bytes()
    assert shape(answer.json) == shape(json.loads(recorded))
    # No blank after a separator, no escaped letters: as compact as DeepSeek's.
    compact = json.dumps(answer.json, ensure_ascii=False, separators=(",", ":"))
    assert answer.body == compact.encode()


@pytest.mark.parametrize(
    ("sample", "fields"),
    [
        ("stream_plain.sse", {"thinking": OFF, "stream": True}),
        ("stream_plain_include_usage.sse", {"thinking": OFF, **_NULLS}),
        ("stream_thinking.sse", _NULLS),
        ("stream_tool_calls_parallel.sse", {**_TOOLS, **_NULLS}),
        ("stream_length_reasoning_only.sse", {"max_tokens": 3, **_NULLS}),
        ("stream_logprobs.sse", {"thinking": OFF, **_LOGPROBS, **_NULLS}),
    ],
)
def test_a_stream_has_the_keys_of_the_sample(deepseek, samples, sample, fields):
    events = chat(deepseek.base_url, **fields).events
    recorded = _events((samples / sample).read_bytes())
    assert shapes(events) == shapes(recorded)


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": OFF},
        {},
        _TOOLS,
        {**_TOOLS, "thinking": OFF},
        {"messages": _PREFIX},
        {"messages": _PREFIX, "thinking": OFF},
        {"max_tokens": 3},
        {"max_tokens": 3, "thinking": OFF},
        {"stop": "help", "thinking": OFF},
    ],
    ids=str,
)
@pytest.mark.parametrize("more", [{"stream": True}, _NULLS], ids=["bare", "nulls"])
def test_answers_have_the_keys_of_the_library(recipe, deepseek, fields, more):
    """The library is fed what the simulator's model wrote, and makes the same of it."""
    body = {"model": "deepseek-flash", "messages": [HI], **fields}
    whole = chat(deepseek.base_url, path=_BETA, **body).json
    events = chat(deepseek.base_url, path=_BETA, **body, **more).events
    choice = whole["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls", [])]
    written = re.findall(r"\S+|\s+", message.get("reasoning_content", ""))
    if choice["finish_reason"] != "length" and written:
        written.append("</think>")
    written += re.findall(r"\S+|\s+", message["content"])
    if fields.get("stop"):
        written.append(fields["stop"])
    if calls:
        pairs = [(c["name"], json.loads(c["arguments"])) for c in calls]
        written += oracle.called(pairs)
    finish = "Length" if choice["finish_reason"] == "length" else "Stop"
    expected, expected_whole = oracle.answers(recipe, {**body, **more}, written, finish)
    assert shapes(events) == shapes(expected)
    assert shape(whole) == shape(expected_whole)
    assert choice["finish_reason"] == expected_whole["choices"][0]["finish_reason"]
    assert message["content"] == expected_whole["choices"][0]["message"]["content"]


@pytest.mark.parametrize("more", [{}, {"logprobs": 2}, {"echo": True}], ids=str)
def test_fim_has_the_keys_of_the_sample(deepseek, samples, more):
    body = json.loads((samples / "request_fim_beta.json").read_bytes())["body"]
    if more.get("echo"):
        del body["suffix"]
    whole = ask(deepseek.base_url, "/beta/completions", {**body, **more}).json
    events = ask(
        deepseek.base_url, "/beta/completions", {**body, **more, **_NULLS}
    ).events
    sample = "fim_logprobs.json" if "logprobs" in more else "fim.json"
    recorded = json.loads((samples / sample).read_bytes())
    names = [key for key, _ in shape(whole)]
    assert names == [key for key, _ in shape(recorded)]
    assert list(whole["choices"][0]) == list(recorded["choices"][0])
    if "logprobs" not in more:
        recorded = _events((samples / "fim.sse").read_bytes())
        assert shapes(events) == shapes(recorded)
    else:
        probs = whole["choices"][0]["logprobs"]
        assert list(probs) == list(recorded["choices"][0]["logprobs"])
        assert "".join(probs["tokens"]) == whole["choices"][0]["text"]
    assert (
        "".join(e["choices"][0]["text"] for e in events) == whole["choices"][0]["text"]
    )
    assert whole["choices"][0]["text"].startswith(body["prompt"]) == bool(
        more.get("echo")
    )


def test_models_and_balance_are_the_samples(deepseek, samples):
    for path, name in (("/models", "models.json"), ("/user/balance", "balance.json")):
        for base in ("", "/v1"):
            answer = ask(deepseek.base_url + base, path, method="GET")
            assert answer.body == (samples / name).read_bytes().rstrip()
    one = ask(deepseek.base_url, "/models/deepseek-flash", method="GET")
    assert one.json == ask(deepseek.base_url, "/models", method="GET").json["data"][0]
