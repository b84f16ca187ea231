"""Requests and responses with values that JSON, UTF-8 or 64 bits cannot hold.

The application gets what the SDK makes of them, and the span ends.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from examples.simulator import RecordedResponse

from .conftest import QUESTION, SAMPLES, sample

if TYPE_CHECKING:
    from examples.simulator import Simulator

    from .comparison import Comparison

# Parts that cannot be read are logged. Comparison checks the log.
pytestmark = pytest.mark.internal_error

DEPTHS = (20, 200, 900, 100_000)


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


def circular_message() -> dict[str, Any]:
    message: dict[str, Any] = {"role": "user", "content": "Hi"}
    message["self"] = message
    return message


def with_message(content: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": [*QUESTION, {"role": "user", "content": content, **fields}]}


def tool(parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


ODD_REQUESTS: dict[str, dict[str, Any]] = {
    "NaN": {"temperature": float("nan"), "top_p": float("inf")},
    "lone surrogate": with_message("half \ud800 a pair"),
    "lone surrogate as name": with_message("Hi", name="\udfff"),
    "lone surrogate as model": {"model": "\ud800"},
    "NUL": with_message("a \x00 b") | {"model": "deepseek\x00"},
    "bytes": with_message(b"\xff"),
    "bytes as model": {"model": b"deepseek-flash"},
    "number above 64 bits": {"max_tokens": 2**70, "seed": -(2**70), "n": 2**70},
    "number as model": {"model": 2**70},
    "bool as number": {"max_tokens": True, "temperature": False},
    "set of stop sequences": {"stop": {"END"}},
    "circular message": {"messages": [circular_message()]},
    "circular list of messages": {
        "messages": (messages := [*QUESTION]) and (messages.append(messages))
    },
    "circular tool": {"tools": [tool(circular_message())]},
    "circular body": {"extra_body": circular_message()},
    "keys other than text": {"tools": [tool({1: 2, None: 3})]},
    "number as message": {"messages": [5, None, "Hi"]},
    "text as messages": {"messages": "Hi"},
    "None as messages": {"messages": None},
    "None as tool": {"tools": [None]},
} | {
    f"{name} with depth {depth}": arguments
    for depth in DEPTHS
    for name, arguments in {
        "content": with_message(nested(depth)),
        "arguments": with_message(
            None, tool_calls=[{"function": {"name": "f", "arguments": nested(depth)}}]
        ),
        "parameters": {"tools": [tool(nested(depth))]},
        "body": {"extra_body": {"deep": nested(depth)}},
    }.items()
}


@pytest.mark.parametrize("name", ODD_REQUESTS)
def test_odd_request_behaves_as_without_instrumentation(
    comparison: Comparison, deepseek: Simulator, name: str
) -> None:
    deepseek.answer_next(sample("chat_plain.json"), times=2)
    comparison(lambda: ODD_REQUESTS[name])


WHOLE_RESPONSES = {
    "chat.completions": "chat_tool_calls_parallel.json",
    "completions": "fim_logprobs.json",
    "responses": "responses_web_search.json",
}
STREAMED_RESPONSES = {
    "chat.completions": "stream_tool_calls_parallel.sse",
    "completions": "fim.sse",
    "responses": "responses_stream.sse",
}
REQUEST_ARGUMENTS = {
    "chat.completions": {},
    "completions": {"model": "deepseek-v4-pro", "prompt": "def f("},
    "responses": {"model": "deepseek-flash", "input": "Hi"},
}
HUGE = 2**70
ODD_TOOL_CALLS = {
    "finish_reason": "stop",
    "message": {"tool_calls": [None, {"function": 5}]},
}
DEEP_TOOL_CALLS = [
    {"index": depth, "function": {"name": "f", "arguments": "[" * depth + "]" * depth}}
    for depth in DEPTHS
]
# Bodies, or chunks, with fields of a wrong type or value.
ODD_RESPONSES: dict[str, str] = {
    name: odd if isinstance(odd, str) else json.dumps(odd)
    for name, odd in {
        "empty object": {},
        "null": "null",
        "list": "[]",
        "text": '"text"',
        "infinite number": "1e999",
        "null choices": {"choices": None, "output": None, "id": None},
        "number as choices": {"choices": 5, "output": 5},
        "list of other values as choices": {
            "choices": [None, 5, "x", []],
            "output": [None, 5],
        },
        "object as choices": {"choices": {"a": 1}, "output": {"a": 1}},
        "no index": {"choices": [{"delta": {"content": "Hi"}, "message": {}}]},
        "odd index": {
            "choices": [{"index": i} for i in (None, -1, True, 0.5, "0", HUGE, [])],
            "output_index": HUGE,
            "type": "response.output_text.delta",
            "delta": "Hi",
        },
        "odd finish reason": {"choices": [{"finish_reason": ["stop"]}], "status": 5},
        "odd message": {"choices": [{"message": 5, "delta": "x", "text": {}}]},
        "odd tool calls": {
            "choices": [ODD_TOOL_CALLS | {"delta": ODD_TOOL_CALLS["message"]}]
        },
        "number as tool calls": {
            "choices": [{"delta": {"tool_calls": 5}, "message": {}}]
        },
        "deep tool calls": {
            "choices": [
                {
                    "message": {"tool_calls": DEEP_TOOL_CALLS},
                    "finish_reason": "tool_calls",
                }
            ]
        },
        "text as usage": {"usage": "much"},
        "list as usage": {"usage": [1, 2]},
        "NaN": '{"usage": {"prompt_tokens": NaN, "input_tokens": -Infinity}}',
        "count above 64 bits": {"usage": {"prompt_tokens": HUGE, "input_tokens": HUGE}},
        "negative counts": {
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
        "lone surrogate": '{"id": "\\ud800", "model": "\\udfff",'
        ' "system_fingerprint": 5,'
        ' "choices": [{"delta": {"content": "\\ud800"}, "text": "\\ud800"}]}',
        "NUL": {"id": "\0", "model": "\0", "choices": [{"text": "\0"}]},
        "odd output items": {
            "status": "completed",
            "output": [
                {"type": "web_search_call", "action": "x"},
                {"type": ["message"], "content": 5},
                {"type": "message", "content": [None, 5, {"text": {}}]},
                {"type": "reasoning", "content": [5]},
            ],
        },
        "odd response": {"type": "response.completed", "response": 5},
        "odd item": {"type": "response.output_item.added", "output_index": 0}
        | {"item": 5},
    }.items()
} | {f"depth {depth}": "[" * depth + "]" * depth for depth in DEPTHS}


# One client for each of these two tests: the code for both differs only in `await`.
@pytest.mark.parametrize("client_class", ["OpenAI"])
@pytest.mark.parametrize("resource", WHOLE_RESPONSES)
@pytest.mark.parametrize("name", ODD_RESPONSES)
def test_odd_response_behaves_as_without_instrumentation(
    comparison: Comparison, deepseek: Simulator, resource: str, name: str
) -> None:
    body = ODD_RESPONSES[name].encode()
    deepseek.answer_next(RecordedResponse(body=body), times=2)
    comparison(lambda: {"resource": resource, **REQUEST_ARGUMENTS[resource]})


@pytest.mark.parametrize("client_class", ["AsyncOpenAI"])
@pytest.mark.parametrize("resource", STREAMED_RESPONSES)
@pytest.mark.parametrize("name", ODD_RESPONSES)
def test_odd_chunk_behaves_as_without_instrumentation(
    comparison: Comparison, deepseek: Simulator, resource: str, name: str
) -> None:
    first, *rest = sample(STREAMED_RESPONSES[resource]).parts
    odd = f"data: {ODD_RESPONSES[name]}\n\n".encode()
    body = b"".join([odd, first, odd, *rest])
    response = RecordedResponse(
        headers={"content-type": "text/event-stream"}, body=body
    )
    deepseek.answer_next(response, times=2)
    comparison(
        lambda: {"resource": resource, "stream": True, **REQUEST_ARGUMENTS[resource]}
    )


@pytest.mark.parametrize("client_class", ["OpenAI"])
def test_unreadable_output_item_becomes_a_placeholder(
    comparison: Comparison, deepseek: Simulator
) -> None:
    body = json.loads((SAMPLES / "responses_web_search.json").read_bytes())
    body["output"].insert(0, {"type": "web_search_call", "action": "x"})
    deepseek.answer_next(RecordedResponse(body=json.dumps(body).encode()), times=2)
    comparison(lambda: {"resource": "responses", **REQUEST_ARGUMENTS["responses"]})

    (message,) = comparison.content("output.messages")
    first, *rest = message["parts"]
    assert first == {"type": "text", "content": "[unreadable]"}
    assert [part["type"] for part in rest][-1] == "text"
    assert len(rest) > 1
    assert comparison.telemetry.span.attributes["gen_ai.usage.input_tokens"] > 0


@pytest.mark.parametrize("client_class", ["OpenAI"])
def test_huge_choice_count_is_limited_in_finish_reasons(
    comparison: Comparison, deepseek: Simulator
) -> None:
    deepseek.answer_next(sample("chat_plain.json"), times=2)
    comparison(lambda: {"n": 10**6})
    attributes = comparison.telemetry.span.attributes
    assert attributes["gen_ai.request.choice.count"] == 10**6
    assert attributes["gen_ai.response.finish_reasons"] == ("stop", *["error"] * 127)
