"""Answers of Anthropic's API."""

from __future__ import annotations

import json
from typing import Any, Final

_TEXT: Final = {"type": "text", "text": "Hello"}
_MESSAGE: Final = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [_TEXT],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
_EVENTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "type": "message_start",
        "message": {**_MESSAGE, "content": [], "stop_reason": None},
    },
    {"type": "content_block_start", "index": 0, "content_block": {**_TEXT, "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hello"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 1},
    },
    {"type": "message_stop"},
)

# Maps a path to the body of the answer and of a streamed one.
RESPONSES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "/v1/messages": (
        _MESSAGE,
        "".join(
            f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
            for event in _EVENTS
        ),
    ),
    "/v1/messages/count_tokens": ({"input_tokens": 3}, ""),
}
