"""Messages of the GenAI conventions in the shape MLflow's chat view renders.

The view takes OpenAI's chat messages with one addition, the key `reasoning`, and shows
a whole side of the conversation as raw text if one message of it does not pass its
checks: a known role, `content` that is a string or a list of known parts, a string `id`
and JSON-string `arguments` on every tool call.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/non-normative/models.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._json import encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_ROLES = {
    "assistant": "assistant",
    "developer": "system",
    "function": "tool",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "user": "user",
}

# What the view has a player for.
_SOUNDS = {
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
}


class UnknownShapeError(ValueError):
    """The value is not what the conventions say it is."""


def chat_messages(messages: Any) -> list[Json]:
    """`gen_ai.input.messages`, parsed, as OpenAI chat messages.

    Raises UnknownShapeError.
    """
    return [
        rendered
        for message in mappings(messages)
        for rendered in _rendered(message, otherwise="user")
    ]


def system_messages(instructions: Any) -> list[Json]:
    """`gen_ai.system_instructions`, parsed, as one message, or none if it is empty.

    Raises UnknownShapeError.
    """
    parts = mappings(instructions)
    return [{"role": "system", "content": _content(parts)}] if parts else []


def chat_choices(messages: Any) -> list[Json]:
    """`gen_ai.output.messages`, parsed, as the choices of a chat completion.

    Raises UnknownShapeError.
    """
    return [
        {
            "index": index,
            "message": rendered,
            "finish_reason": message.get("finish_reason"),
        }
        for index, message in enumerate(mappings(messages))
        for rendered in _rendered(message, otherwise="assistant")
    ]


def text_of(message: Any) -> str:
    """What is written in an OpenAI chat message; "" if nothing is."""
    match message:
        case {"content": str(content)}:
            return content
        case {"content": [*parts]}:
            return "\n".join(_texts(parts))
        case _:
            return ""


def _texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        match part:
            case {"text": str(text)}:
                yield text
            case _:
                pass


def _rendered(message: Json, otherwise: str) -> list[Json]:
    """A tool's results are messages of their own in OpenAI's shape, and come first."""
    rendered: list[Json] = []
    said: list[Json] = []
    reasoning: list[str] = []
    calls: list[Json] = []
    for part in mappings(message.get("parts")):
        kind = part.get("type")
        if kind == "text":
            said.append(part)
        elif kind == "reasoning":
            reasoning.append(written(part.get("content")))
        elif kind == "tool_call":
            calls.append(_call(part))
        elif kind == "tool_call_response":
            rendered.append(_result(part))
        else:
            said.append(part)
    if rendered and not (said or reasoning or calls):
        return rendered
    role = message.get("role")
    known = _ROLES.get(role) if isinstance(role, str) else None
    own: Json = {"role": known or otherwise, "content": _content(said)}
    if name := message.get("name") or (not known and role):
        own["name"] = name
    if reasoning:
        own["reasoning"] = "\n".join(reasoning)
    if calls:
        own["tool_calls"] = calls
    rendered.append(own)
    return rendered


def _call(part: Json) -> Json:
    arguments = part.get("arguments")
    return {
        "id": written(part.get("id")),
        "type": "function",
        "function": {
            "name": written(part.get("name")),
            "arguments": "{}" if arguments is None else written(arguments),
        },
    }


def _result(part: Json) -> Json:
    return {
        "role": "tool",
        "tool_call_id": written(part.get("id")),
        # The convention's examples say `result` where its schema says `response`.
        "content": written(part.get("response", part.get("result"))),
    }


def _content(parts: list[Json]) -> str | list[Json]:
    if not parts:
        return ""
    if len(parts) == 1 and parts[0].get("type") == "text":
        return written(parts[0].get("content"))
    content = [_content_part(part) for part in parts]
    if any(part["type"] != "text" for part in content):
        return content
    return "\n".join([part["text"] for part in content])


def _content_part(part: Json) -> Json:
    """What has no counterpart in OpenAI's shape is shown as it is written."""
    match part:
        case {"type": "blob", "modality": "image", "content": str(data)}:
            kind = part.get("mime_type") or "image/png"
            return _image(f"data:{kind};base64,{data}")
        case {"type": "uri", "modality": "image", "uri": str(uri)}:
            return _image(uri)
        case {"type": "blob", "mime_type": str(kind), "content": str(data)} if (
            kind in _SOUNDS
        ):
            sound = {"data": data, "format": _SOUNDS[kind]}
            return {"type": "input_audio", "input_audio": sound}
        case {"type": "text"}:
            return {"type": "text", "text": written(part.get("content"))}
        case _:
            return {"type": "text", "text": written(part)}


def _image(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _encode(value)


_encode = encoding(allow_nan=True)


def mappings(values: Any) -> list[Json]:
    if not isinstance(values, (list, tuple)):
        raise UnknownShapeError
    listed = cast("list[Any]", values)
    for value in listed:
        # The test for Mapping takes ten times as long.
        if type(value) is not dict and not isinstance(value, Mapping):
            raise UnknownShapeError
    return listed
