"""Responses that DeepSeek does not send, and how a program reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.instrumentation.gateway_messages import MESSAGES, STREAMS
from tests.instrumentation.recorded_bodies import (
    choice,
    chunk,
    completion,
    event_stream,
    json_response,
    stream,
)

from .usages import REQUEST

if TYPE_CHECKING:
    from examples.simulator import RecordedResponse

_ERROR: Final = {"error": {"message": "Provider returned error", "code": 429}}
_STREAM: Final = {"stream": True}

# Each name: the response, and the arguments of the call in addition to REQUEST.
GATEWAY_RESPONSES: Final[dict[str, tuple[RecordedResponse, dict[str, Any]]]] = {
    **{
        f"message: {name}": (completion(choice(**fields)), {})
        for name, (fields, _) in MESSAGES.items()
    },
    **{
        f"stream: {name}": (stream(*deltas), _STREAM)
        for name, (deltas, _) in STREAMS.items()
    },
    "choices with the same index": (
        completion(choice(content="Red."), choice(content="Blue.")),
        {"n": 2},
    ),
    "empty first chunk": (
        event_stream(
            {"id": "", "model": "", "choices": []},
            chunk(content="Hi", finish_reason="stop"),
        ),
        _STREAM,
    ),
    "float counts": (
        completion(choice(content="Hi"), usage={"prompt_cache_hit_tokens": 4.0}),
        {"extra_body": {"top_k": 20}},
    ),
    "error in the body": (json_response(_ERROR), {}),
    "error and no choices in the body": (json_response(_ERROR | {"choices": None}), {}),
    "error in the stream": (event_stream(chunk(content="Hi"), _ERROR), _STREAM),
}


def read_sync(client: Any, arguments: dict[str, Any]) -> str:
    result = client.chat.completions.create(**REQUEST | arguments)
    return repr(list(result) if "stream" in arguments else result)


async def read_async(client: Any, arguments: dict[str, Any]) -> str:
    result = await client.chat.completions.create(**REQUEST | arguments)
    return repr([chunk async for chunk in result] if "stream" in arguments else result)
