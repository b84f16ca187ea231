"""Messages of the GenAI conventions, in the shape that MLflow's chat view renders.

The view takes OpenAI's chat messages with the additional key `reasoning`. It shows the
inputs or the outputs as raw text if one message in them does not pass its checks: a
known role, `content` that is a string or a list of known parts, and a string `id` and
`arguments` that are a JSON string on every tool call.

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

# The view has a player for these.
_AUDIO_FORMATS = {
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
}


# pydantic-ai's parts have the second name.
_REASONING_TYPES = ("reasoning", "thinking")


class UnknownShapeError(ValueError):
    """The value does not have the shape of the conventions."""


def chat_messages(messages: Any) -> list[Json]:
    """Converts parsed `gen_ai.input.messages` to OpenAI's chat messages.

    Raises UnknownShapeError.
    """
    return [
        converted
        for message in mappings(messages)
        for converted in _convert(message, default_role="user")
    ]


def system_messages(instructions: Any) -> list[Json]:
    """Converts parsed `gen_ai.system_instructions` to one message, or none if empty.

    Raises UnknownShapeError.
    """
    parts = mappings(instructions)
    return [{"role": "system", "content": _content(parts)}] if parts else []


def chat_choices(messages: Any) -> list[Json]:
    """Converts parsed `gen_ai.output.messages` to the choices of a chat completion.

    Raises UnknownShapeError.
    """
    return [
        {
            "index": index,
            "message": converted,
            "finish_reason": message.get("finish_reason"),
        }
        for index, message in enumerate(mappings(messages))
        for converted in _convert(message, default_role="assistant")
    ]


def text_of(message: Any) -> str:
    """The text of OpenAI's chat message; "" if there is none."""
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


def _convert(message: Json, default_role: str) -> list[Json]:
    """Tool results are separate messages in OpenAI's shape. They come first."""
    messages: list[Json] = []
    content: list[Json] = []
    reasoning: list[str] = []
    calls: list[Json] = []
    for part in mappings(message.get("parts")):
        kind = part.get("type")
        if kind == "text":
            content.append(part)
        elif kind in _REASONING_TYPES:
            reasoning.append(as_text(part.get("content")))
        elif kind == "tool_call":
            calls.append(_call(part))
        elif kind == "tool_call_response":
            messages.append(_result(part))
        else:
            content.append(part)
    if messages and not (content or reasoning or calls):
        return messages
    role = message.get("role")
    known = _ROLES.get(role) if isinstance(role, str) else None
    converted: Json = {"role": known or default_role, "content": _content(content)}
    if name := message.get("name") or (not known and role):
        converted["name"] = name
    if reasoning:
        converted["reasoning"] = "\n".join(reasoning)
    if calls:
        converted["tool_calls"] = calls
    messages.append(converted)
    return messages


def _call(part: Json) -> Json:
    arguments = part.get("arguments")
    return {
        "id": as_text(part.get("id")),
        "type": "function",
        "function": {
            "name": as_text(part.get("name")),
            "arguments": "{}" if arguments is None else as_text(arguments),
        },
    }


def _result(part: Json) -> Json:
    return {
        "role": "tool",
        "tool_call_id": as_text(part.get("id")),
        # The conventions' examples have `result`, and their schema has `response`.
        "content": as_text(part.get("response", part.get("result"))),
    }


def _content(parts: list[Json]) -> str | list[Json]:
    if not parts:
        return ""
    if len(parts) == 1 and parts[0].get("type") == "text":
        return as_text(parts[0].get("content"))
    content = [_content_part(part) for part in parts]
    if any(part["type"] != "text" for part in content):
        return content
    return "\n".join([part["text"] for part in content])


def _content_part(part: Json) -> Json:
    """A part without a counterpart in OpenAI's shape is shown as JSON."""
    match part:
        case {"type": "blob", "modality": "image", "content": str(data)}:
            kind = part.get("mime_type") or "image/png"
            return _image(f"data:{kind};base64,{data}")
        case {"type": "uri", "modality": "image", "uri": str(uri)}:
            return _image(uri)
        case {"type": "blob", "mime_type": str(kind), "content": str(data)} if (
            kind in _AUDIO_FORMATS
        ):
            audio = {"data": data, "format": _AUDIO_FORMATS[kind]}
            return {"type": "input_audio", "input_audio": audio}
        case {"type": "text"}:
            return {"type": "text", "text": as_text(part.get("content"))}
        case _:
            return {"type": "text", "text": as_text(part)}


def _image(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _encode(value)


_encode = encoding(allow_nan=True)


def mappings(values: Any) -> list[Json]:
    if not isinstance(values, (list, tuple)):
        raise UnknownShapeError
    items = cast("list[Any]", values)
    for value in items:
        # isinstance() with Mapping takes ten times as long.
        if type(value) is not dict and not isinstance(value, Mapping):
            raise UnknownShapeError
    return items
