"""Bodies as DeepSeek sends them in Anthropic's format; see deepseek-recipe 0.2.0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

QUESTION: Final = [{"role": "user", "content": "How many r's are in strawberry?"}]
ID: Final = "945bb10c-9bf3-47ff-a2a2-43bbe9705c72"
USAGE: Final = {
    "input_tokens": 33,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 64,
    "output_tokens": 61,
    "service_tier": "standard",
}
THINKING_BLOCK: Final = {"type": "thinking", "thinking": "We count.", "signature": ID}
TEXT_BLOCK: Final = {"type": "text", "text": "Three."}


def message(*content: Any, **fields: Any) -> dict[str, Any]:
    """Returns a whole message; its content is a thought and a text by default."""
    return {
        "id": ID,
        "type": "message",
        "role": "assistant",
        "model": "deepseek-flash",
        "content": list(content) or [THINKING_BLOCK, TEXT_BLOCK],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }


def encoded(*content: Any, **fields: Any) -> bytes:
    return json.dumps(message(*content, **fields)).encode()


def sse(events: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events
    ).encode()


def block_events(index: int, block: Any, *deltas: Any) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": d} for d in deltas),
        {"type": "content_block_stop", "index": index},
    ]


START: Final = {
    "type": "message_start",
    "message": {
        **message(),
        "content": [],
        "stop_reason": None,
        "usage": {**USAGE, "output_tokens": 0},
    },
}
PING: Final = {"type": "ping"}
THINKING_EVENTS: Final = block_events(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "We "},
    {"type": "thinking_delta", "thinking": "count."},
    {"type": "signature_delta", "signature": ID},
)
TEXT_EVENTS: Final = block_events(
    1,
    {"type": "text", "text": ""},
    {"type": "text_delta", "text": "Th"},
    {"type": "text_delta", "text": "ree."},
)
END: Final = (
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": USAGE,
    },
    {"type": "message_stop"},
)
STREAM: Final = (START, *THINKING_EVENTS[:1], PING, *THINKING_EVENTS[1:], *TEXT_EVENTS)
EVENTS: Final = (*STREAM, *END)
