"""Answers of OpenAI's API."""

from __future__ import annotations

import json
from typing import Any, Final

_USAGE: Final = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
_CHAT: Final = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
        }
    ],
    "usage": _USAGE,
}
_TEXT: Final = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_700_000_000,
    "model": "gpt",
    "choices": [
        {"index": 0, "finish_reason": "stop", "logprobs": None, "text": "Hello"}
    ],
    "usage": _USAGE,
}
_RESPONSE: Final = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "gpt",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 4,
    },
}
_EMBEDDINGS: Final = {
    "object": "list",
    "model": "embedding",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def _chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {**_CHAT, "object": "chat.completion.chunk", "choices": [choice]}


def _stream(*events: dict[str, Any]) -> str:
    data = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return f"{data}data: [DONE]\n\n"


# Maps a path to the body of the answer and of a streamed one.
RESPONSES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "/chat/completions": (
        _CHAT,
        _stream(
            _chunk({"role": "assistant", "content": "Hello"}, None), _chunk({}, "stop")
        ),
    ),
    "/completions": (_TEXT, _stream(_TEXT)),
    "/embeddings": (_EMBEDDINGS, _stream()),
    "/responses": (
        _RESPONSE,
        _stream(
            {"type": "response.completed", "sequence_number": 0, "response": _RESPONSE}
        ),
    ),
}
