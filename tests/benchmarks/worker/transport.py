"""A client of the real SDK with an in-process transport that simulates DeepSeek."""

from __future__ import annotations

import json
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openai

try:
    import httpx2 as httpx  # the HTTP client of openai 3
except ImportError:
    import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKS: Final = 2_000
QUESTION: Final = [
    {"role": "system", "content": "You are a careful counter of letters."},
    {"role": "user", "content": "How many r's are in strawberry?"},
]
_SAMPLES: Final = Path(__file__).parents[2] / "deepseek_samples"
_COMPLETION: Final = (_SAMPLES / "chat_thinking.json").read_bytes()


_RECORDED_EVENTS: Final = [
    event + b"\n\n"
    for event in (_SAMPLES / "stream_thinking.sse").read_bytes().split(b"\n\n")
    if event.startswith(b"data: {")
]
_DONE: Final = b"data: [DONE]\n\n"


def _events() -> list[bytes]:
    """Returns a recorded thinking stream, with repeated chunks up to `CHUNKS`."""
    first, *middle, last = _RECORDED_EVENTS
    return [first, *islice(cycle(middle), CHUNKS - 2), last, _DONE]


_LONG_STREAM: Final = _events()
_SHORT_STREAM: Final = [*_RECORDED_EVENTS, _DONE]


_HEADERS: Final = json.loads((_SAMPLES / "headers.json").read_bytes())


def _respond(request: httpx.Request) -> httpx.Response:
    if b'"stream":true' in request.content:
        return httpx.Response(
            200,
            headers=_HEADERS["sse_200"],
            content=_iterate(
                _SHORT_STREAM if b'"max_tokens":' in request.content else _LONG_STREAM
            ),
        )
    return httpx.Response(200, headers=_HEADERS["json_200"], content=_COMPLETION)


def _iterate(events: list[bytes]) -> Iterator[bytes]:
    yield from events


def create_http_client() -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(_respond))


def create_client() -> openai.OpenAI:
    return openai.OpenAI(
        base_url="https://api.deepseek.com",
        api_key="sk-benchmark",
        http_client=create_http_client(),
        max_retries=0,
    )


def message_history(length: int) -> list[dict[str, Any]]:
    """Returns an agent's conversation: questions, tool calls, results and answers."""
    turn = [
        {"role": "user", "content": "What is the weather in Hangzhou, and why? " * 3},
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "The user asks for the weather: I call the tool. " * 3,
            "tool_calls": [
                {
                    "id": "call_00_mD0cxVLrqkoZWKNtTSrBGjHX",
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "arguments": '{"location": "Hangzhou", "unit": "celsius"}',
                    },
                }
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "call_00_mD0cxVLrqkoZWKNtTSrBGjHX",
            "content": '{"temperature": 24, "sky": "clear"}',
        },
        {"role": "assistant", "content": "It is 24 degrees and clear. " * 5},
    ]
    return list(islice(cycle(turn), length))
