"""What no JSON, no UTF-8 and no 64 bits can hold, asked or answered: the caller gets
what the SDK makes of it, and the span ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from examples.simulator import Recorded

from .conftest import QUESTION, SAMPLES, sample

if TYPE_CHECKING:
    from examples.simulator import Simulator

    from .comparing import Compared

# As in test_transparency.
pytestmark = pytest.mark.internal_error

DEPTHS = (20, 200, 900, 100_000)


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


def circle() -> dict[str, Any]:
    ring: dict[str, Any] = {"role": "user", "content": "Hi"}
    ring["ring"] = ring
    return ring


def said(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [*QUESTION, {"role": "user", "content": content, **more}]}


def tool(parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


ASKED: dict[str, dict[str, Any]] = {
    "NaN": {"temperature": float("nan"), "top_p": float("inf")},
    "half a pair": said("half \ud800 a pair"),
    "half a pair in a name": said("Hi", name="\udfff"),
    "half a pair for a model": {"model": "\ud800"},
    "NUL": said("a \x00 b") | {"model": "deepseek\x00"},
    "bytes": said(b"\xff"),
    "bytes for a model": {"model": b"deepseek-flash"},
    "a number past 64 bits": {"max_tokens": 2**70, "seed": -(2**70), "n": 2**70},
    "a number for a model": {"model": 2**70},
    "a truth for a number": {"max_tokens": True, "temperature": False},
    "a set of stop words": {"stop": {"END"}},
    "a circle": {"messages": [circle()]},
    "a circle of messages": {"messages": (ring := [*QUESTION]) and (ring.append(ring))},
    "a circle for a tool": {"tools": [tool(circle())]},
    "a circle for a body": {"extra_body": circle()},
    "keys that are no text": {"tools": [tool({1: 2, None: 3})]},
    "a number for a message": {"messages": [5, None, "Hi"]},
    "a text for messages": {"messages": "Hi"},
    "nothing for messages": {"messages": None},
    "nothing for a tool": {"tools": [None]},
} | {
    f"{name}, {depth} deep": asked
    for depth in DEPTHS
    for name, asked in {
        "a content": said(nested(depth)),
        "arguments": said(
            None, tool_calls=[{"function": {"name": "f", "arguments": nested(depth)}}]
        ),
        "parameters": {"tools": [tool(nested(depth))]},
        "a body": {"extra_body": {"deep": nested(depth)}},
    }.items()
}


@pytest.mark.parametrize("name", ASKED)
def test_an_odd_request_is_the_callers(
    compared: Compared, deepseek: Simulator, name: str
) -> None:
    deepseek.answer_next(sample("chat_plain.json"), times=2)
    compared(lambda: ASKED[name])


WHOLE = {
    "chat.completions": "chat_tool_calls_parallel.json",
    "completions": "fim_logprobs.json",
    "responses": "responses_web_search.json",
}
STREAMED = {
    "chat.completions": "stream_tool_calls_parallel.sse",
    "completions": "fim.sse",
    "responses": "responses_stream.sse",
}
REQUEST = {
    "chat.completions": {},
    "completions": {"model": "deepseek-v4-pro", "prompt": "def f("},
    "responses": {"model": "deepseek-flash", "input": "Hi"},
}
HUGE = 2**70
CALLS = {"finish_reason": "stop", "message": {"tool_calls": [None, {"function": 5}]}}
DEEP_CALLS = [
    {"index": depth, "function": {"name": "f", "arguments": "[" * depth + "]" * depth}}
    for depth in DEPTHS
]
# Members of an answer, or of a chunk, that are not as they should be.
ANSWERED: dict[str, str] = {
    name: odd if isinstance(odd, str) else json.dumps(odd)
    for name, odd in {
        "nothing": {},
        "null": "null",
        "a list": "[]",
        "a text": '"text"',
        "a number": "1e999",
        "null choices": {"choices": None, "output": None, "id": None},
        "choices of no kind": {"choices": 5, "output": 5},
        "choices that are none": {"choices": [None, 5, "x", []], "output": [None, 5]},
        "choices in an object": {"choices": {"a": 1}, "output": {"a": 1}},
        "no index": {"choices": [{"delta": {"content": "Hi"}, "message": {}}]},
        "an odd index": {
            "choices": [{"index": i} for i in (None, -1, True, 0.5, "0", HUGE, [])],
            "output_index": HUGE,
            "type": "response.output_text.delta",
            "delta": "Hi",
        },
        "an odd finish": {"choices": [{"finish_reason": ["stop"]}], "status": 5},
        "an odd message": {"choices": [{"message": 5, "delta": "x", "text": {}}]},
        "odd calls": {"choices": [CALLS | {"delta": CALLS["message"]}]},
        "calls of no kind": {"choices": [{"delta": {"tool_calls": 5}, "message": {}}]},
        "deep calls": {
            "choices": [
                {"message": {"tool_calls": DEEP_CALLS}, "finish_reason": "tool_calls"}
            ]
        },
        "no usage": {"usage": "much"},
        "usage in a list": {"usage": [1, 2]},
        "NaN": '{"usage": {"prompt_tokens": NaN, "input_tokens": -Infinity}}',
        "past 64 bits": {"usage": {"prompt_tokens": HUGE, "input_tokens": HUGE}},
        "counts below 0": {
            "usage": {
                "prompt_tokens": -1,
                "completion_tokens": -1,
                "input_tokens": -1,
                "output_tokens": -1,
            }
        },
        "odd counts": {
            "usage": {
                "prompt_tokens": "97",
                "completion_tokens": True,
                "prompt_tokens_details": 5,
                "output_tokens_details": [],
            }
        },
        "half a pair": '{"id": "\\ud800", "model": "\\udfff", "system_fingerprint": 5,'
        ' "choices": [{"delta": {"content": "\\ud800"}, "text": "\\ud800"}]}',
        "NUL": {"id": "\0", "model": "\0", "choices": [{"text": "\0"}]},
        "an odd action": {
            "status": "completed",
            "output": [
                {"type": "web_search_call", "action": "x"},
                {"type": ["message"], "content": 5},
                {"type": "message", "content": [None, 5, {"text": {}}]},
                {"type": "reasoning", "content": [5]},
            ],
        },
        "an odd response": {"type": "response.completed", "response": 5},
        "an odd item": {"type": "response.output_item.added", "output_index": 0}
        | {"item": 5},
    }.items()
} | {f"{depth} deep": "[" * depth + "]" * depth for depth in DEPTHS}


# With one client each: they differ in an `await`.
@pytest.mark.parametrize("kind", ["OpenAI"])
@pytest.mark.parametrize("of", WHOLE)
@pytest.mark.parametrize("name", ANSWERED)
def test_an_odd_answer_is_the_callers(
    compared: Compared, deepseek: Simulator, of: str, name: str
) -> None:
    body = ANSWERED[name].encode()
    deepseek.answer_next(Recorded(body=body), times=2)
    compared(lambda: {"of": of, **REQUEST[of]})


@pytest.mark.parametrize("kind", ["AsyncOpenAI"])
@pytest.mark.parametrize("of", STREAMED)
@pytest.mark.parametrize("name", ANSWERED)
def test_an_odd_chunk_is_the_callers(
    compared: Compared, deepseek: Simulator, of: str, name: str
) -> None:
    first, *rest = sample(STREAMED[of]).parts
    odd = f"data: {ANSWERED[name]}\n\n".encode()
    body = b"".join([odd, first, odd, *rest])
    answer = Recorded(headers={"content-type": "text/event-stream"}, body=body)
    deepseek.answer_next(answer, times=2)
    compared(lambda: {"of": of, "stream": True, **REQUEST[of]})


@pytest.mark.parametrize("kind", ["OpenAI"])
def test_a_part_of_an_answer_that_cannot_be_read_is_marked(
    compared: Compared, deepseek: Simulator
) -> None:
    body = json.loads((SAMPLES / "responses_web_search.json").read_bytes())
    body["output"].insert(0, {"type": "web_search_call", "action": "x"})
    deepseek.answer_next(Recorded(body=json.dumps(body).encode()), times=2)
    compared(lambda: {"of": "responses", **REQUEST["responses"]})

    (message,) = compared.content("output.messages")
    first, *others = message["parts"]
    assert first == {"type": "text", "content": "[unreadable]"}
    assert [part["type"] for part in others][-1] == "text"
    assert len(others) > 1
    assert compared.telemetry.span.attributes["gen_ai.usage.input_tokens"] > 0


@pytest.mark.parametrize("kind", ["OpenAI"])
def test_choices_in_a_number_that_nobody_gives_take_no_room(
    compared: Compared, deepseek: Simulator
) -> None:
    deepseek.answer_next(sample("chat_plain.json"), times=2)
    compared(lambda: {"n": 10**6})
    said = compared.telemetry.span.attributes
    assert said["gen_ai.request.choice.count"] == 10**6
    assert said["gen_ai.response.finish_reasons"] == ("stop", *["error"] * 127)
