"""Messages of the GenAI conventions, in the shape that MLflow's chat view renders.

The view takes OpenAI's chat messages with the additional key `reasoning`. It shows the
inputs or the outputs as raw text if one message in them does not pass its checks: a
known role, `content` that is a string or a list of known parts, and on every tool call
an `id` that is a string and `arguments` that are a JSON string.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/non-normative/models.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._json import make_encoder

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
    """Convert parsed `gen_ai.input.messages` to OpenAI's chat messages.

    Raises UnknownShapeError.
    """
    return [
        chat_message
        for message in as_objects(messages)
        for chat_message in _to_chat_messages(message, default_role="user")
    ]


def system_messages(instructions: Any) -> list[Json]:
    """Convert parsed `gen_ai.system_instructions` to one message, or none if empty.

    Raises UnknownShapeError.
    """
    parts = as_objects(instructions)
    return [{"role": "system", "content": _content(parts)}] if parts else []


def chat_choices(messages: Any) -> list[Json]:
    """Convert parsed `gen_ai.output.messages` to the choices of a chat completion.

    Raises UnknownShapeError.
    """
    return [
        {
            "index": index,
            "message": chat_message,
            "finish_reason": message.get("finish_reason"),
        }
        for index, message in enumerate(as_objects(messages))
        for chat_message in _to_chat_messages(message, default_role="assistant")
    ]


def message_text(message: Any) -> str:
    """The text of an OpenAI chat message; "" if it has none."""
    match message:
        case {"content": str(content)}:
            return content
        case {"content": [*parts]}:
            return "\n".join(_part_texts(parts))
        case _:
            return ""


def _part_texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        match part:
            case {"text": str(text)}:
                yield text
            case _:
                pass


def _to_chat_messages(message: Json, default_role: str) -> list[Json]:
    """Tool results are separate messages in OpenAI's shape. They come first."""
    chat_messages: list[Json] = []
    content_parts: list[Json] = []
    reasoning: list[str] = []
    tool_calls: list[Json] = []
    for part in as_objects(message.get("parts")):
        part_type = part.get("type")
        if part_type == "text":
            content_parts.append(part)
        elif part_type in _REASONING_TYPES:
            reasoning.append(as_text(part.get("content")))
        elif part_type == "tool_call":
            tool_calls.append(_tool_call(part))
        elif part_type == "tool_call_response":
            chat_messages.append(_tool_message(part))
        else:
            content_parts.append(part)
    if chat_messages and not (content_parts or reasoning or tool_calls):
        return chat_messages
    role = message.get("role")
    known_role = _ROLES.get(role) if isinstance(role, str) else None
    chat_message: Json = {
        "role": known_role or default_role,
        "content": _content(content_parts),
    }
    if name := message.get("name") or (not known_role and role):
        chat_message["name"] = name
    if reasoning:
        chat_message["reasoning"] = "\n".join(reasoning)
    if tool_calls:
        chat_message["tool_calls"] = tool_calls
    chat_messages.append(chat_message)
    return chat_messages


def _tool_call(part: Json) -> Json:
    arguments = part.get("arguments")
    return {
        "id": as_text(part.get("id")),
        "type": "function",
        "function": {
            "name": as_text(part.get("name")),
            "arguments": "{}" if arguments is None else as_text(arguments),
        },
    }


def _tool_message(part: Json) -> Json:
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
            mime_type = part.get("mime_type") or "image/png"
            return _image_part(f"data:{mime_type};base64,{data}")
        case {"type": "uri", "modality": "image", "uri": str(uri)}:
            return _image_part(uri)
        case {"type": "blob", "mime_type": str(mime_type), "content": str(data)} if (
            mime_type in _AUDIO_FORMATS
        ):
            audio = {"data": data, "format": _AUDIO_FORMATS[mime_type]}
            return {"type": "input_audio", "input_audio": audio}
        case {"type": "text"}:
            return {"type": "text", "text": as_text(part.get("content"))}
        case _:
            return {"type": "text", "text": as_text(part)}


def _image_part(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def as_text(value: Any) -> str:
    """Return a string unchanged, None as "", and any other value as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else _encode(value)


_encode = make_encoder(allow_nan=True)


def as_objects(value: Any) -> list[Json]:
    """Return the value if it is a list of objects, else raise UnknownShapeError."""
    if not isinstance(value, (list, tuple)):
        raise UnknownShapeError
    items = cast("list[Any]", value)
    for item in items:
        # isinstance() with Mapping takes ten times as long.
        if type(item) is not dict and not isinstance(item, Mapping):
            raise UnknownShapeError
    return items
