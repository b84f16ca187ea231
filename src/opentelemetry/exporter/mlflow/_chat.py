"""Messages of the GenAI conventions in the shape MLflow's chat view renders.

The view takes OpenAI's chat messages with one addition, the key `reasoning`, and shows
a whole side of the conversation as raw text if one message of it does not pass its
checks: a known role, `content` that is a string or a list of known parts, a string `id`
and JSON-string `arguments` on every tool call.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/non-normative/models.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

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


class UnknownShapeError(ValueError):
    """The value is not what the conventions say it is."""


def chat_messages(messages: Any) -> list[Json]:
    """`gen_ai.input.messages`, parsed, as OpenAI chat messages.

    Raises UnknownShapeError.
    """
    return [
        rendered
        for message in _mappings(messages)
        for rendered in _rendered(message, otherwise="user")
    ]


def system_messages(instructions: Any) -> list[Json]:
    """`gen_ai.system_instructions`, parsed, as one message, or none if it is empty.

    Raises UnknownShapeError.
    """
    parts = list(_mappings(instructions))
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
        for index, message in enumerate(_mappings(messages))
        for rendered in _rendered(message, otherwise="assistant")
    ]


def chat_tools(definitions: Any) -> list[Json]:
    """`gen_ai.tool.definitions`, parsed, nested as OpenAI has them.

    Raises UnknownShapeError.
    """
    return [
        dict(tool)
        if "function" in tool
        else {
            "type": "function",
            # What a tool is called and does stands under "function"; its type is
            # said there only if it is another one.
            "function": {
                key: value
                for key, value in tool.items()
                if (key, value) != ("type", "function")
            },
        }
        for tool in _mappings(definitions)
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


def _rendered(message: Json, otherwise: str) -> Iterator[Json]:
    """A tool's results are messages of their own in OpenAI's shape, and come first."""
    said: list[Json] = []
    reasoning: list[str] = []
    calls: list[Json] = []
    results = 0
    for part in _mappings(message.get("parts")):
        match part.get("type"):
            case "reasoning":
                reasoning.append(_text(part.get("content")))
            case "tool_call":
                calls.append(_call(part))
            case "tool_call_response":
                results += 1
                yield _result(part)
            case _:
                said.append(part)
    if results and not (said or reasoning or calls):
        return
    role = message.get("role")
    known = _ROLES.get(role) if isinstance(role, str) else None
    rendered: Json = {"role": known or otherwise, "content": _content(said)}
    if name := message.get("name") or (not known and role):
        rendered["name"] = name
    if reasoning:
        rendered["reasoning"] = "\n".join(reasoning)
    if calls:
        rendered["tool_calls"] = calls
    yield rendered


def _call(part: Json) -> Json:
    arguments = part.get("arguments")
    return {
        "id": _text(part.get("id")),
        "type": "function",
        "function": {
            "name": _text(part.get("name")),
            "arguments": "{}" if arguments is None else _text(arguments),
        },
    }


def _result(part: Json) -> Json:
    return {
        "role": "tool",
        "tool_call_id": _text(part.get("id")),
        # The convention's examples say `result` where its schema says `response`.
        "content": _text(part.get("response", part.get("result"))),
    }


def _content(parts: list[Json]) -> str | list[Json]:
    content = [_content_part(part) for part in parts]
    if all(part["type"] == "text" for part in content):
        return "\n".join(part["text"] for part in content)
    return content


def _content_part(part: Json) -> Json:
    """What has no counterpart in OpenAI's shape is shown as it is written."""
    match part:
        case {"type": "text", "content": content}:
            return {"type": "text", "text": _text(content)}
        case {"type": "blob", "modality": "image", "content": str(data)}:
            kind = part.get("mime_type") or "image/png"
            return _image(f"data:{kind};base64,{data}")
        case {"type": "uri", "modality": "image", "uri": str(uri)}:
            return _image(uri)
        case _:
            return {"type": "text", "text": _text(part)}


def _image(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mappings(values: Any) -> Iterator[Json]:
    if not isinstance(values, (list, tuple)):
        raise UnknownShapeError
    for value in cast("list[Any]", values):
        if not isinstance(value, Mapping):
            raise UnknownShapeError
        yield cast("Json", value)
