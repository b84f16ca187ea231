"""Chat messages, as the message parts of the GenAI semantic conventions. Pure.

The parts, and what each must have:
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ._coerce import member, reader, text
from ._genai import (
    image_from_url,
    plain,
)
from ._suppress import lost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._choice import Choice

# What a message calls a finish; on spans it keeps DeepSeek's word.
_FINISHES: Final[Mapping[str, str]] = {
    "tool_calls": "tool_call",
    "insufficient_system_resource": "error",
    "aborted": "error",
}

Json = dict[str, Any]

_UNREADABLE: Final = "[unreadable]"
_UNREADABLE_MESSAGE: Final[Json] = {
    "role": "unknown",
    "parts": [{"type": "text", "content": _UNREADABLE}],
}
_UNREADABLE_TOOL: Final[Json] = {"type": "function", "name": _UNREADABLE}


def input_messages(messages: object) -> list[Json]:
    return [readable(_input_message, message) for message in items(messages)]


def output_message(choice: Choice) -> Json:
    finish = choice.finish_reason or "error"
    return {
        "role": "assistant",
        "parts": [
            *_spoken(choice.reasoning.getvalue(), choice.content.getvalue()),
            *(
                _tool_call(call.id, call.name, call.arguments.getvalue())
                for _, call in sorted(choice.tool_calls.items())
            ),
        ],
        "finish_reason": _FINISHES.get(finish, finish),
    }


def tool_definitions(tools: object) -> list[Json]:
    return [
        readable(_tool_definition, tool, otherwise=_UNREADABLE_TOOL)
        for tool in items(tools)
    ]


def readable(
    read: Callable[[object], Json],
    message: object,
    *,
    otherwise: Json = _UNREADABLE_MESSAGE,
) -> Json:
    """One bad message must not cost the others; it is marked at its place."""
    try:
        return read(message)
    except Exception as error:  # noqa: BLE001  # as `quietly` does, at half its price
        lost("reading a message", error)
        return otherwise


def items(value: object) -> Sequence[Any]:
    """The items of a list; none of an iterator, which is the caller's to read once."""
    if type(value) is list:  # the usual, and ten times as fast to tell
        return value  # pyright: ignore[reportUnknownVariableType]  # of anything
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value  # pyright: ignore[reportUnknownVariableType]  # of anything
    return ()


def without_none(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _input_message(message: object) -> Json:
    said = reader(message)
    role = text(said("role")) or ""
    content: object = said("content")
    if role == "tool":
        parts = [
            without_none(
                type="tool_call_response",
                id=text(said("tool_call_id")),
                response=plain(content) or "",
            )
        ]
    else:
        # In the order in which DeepSeek makes them, streamed or not.
        parts = _spoken(said("reasoning_content"), content)
        for call in items(said("tool_calls")):
            function = reader(member(call, "function"))
            parts.append(
                _tool_call(
                    text(member(call, "id")),
                    text(function("name")) or "",
                    function("arguments"),
                )
            )
    read: Json = {"role": role, "parts": parts}
    if (name := text(said("name"))) is not None:
        read["name"] = name
    return read


def _spoken(reasoning: object, content: object) -> list[Json]:
    parts: list[Json] = []
    if isinstance(reasoning, str) and reasoning:
        parts.append({"type": "reasoning", "content": reasoning})
    if isinstance(content, str):
        if content:
            parts.append({"type": "text", "content": content})
    elif content is not None:
        parts.extend(_content_part(item) for item in items(content))
    return parts


def _tool_call(id_: str | None, name: str, said: object) -> Json:
    return without_none(type="tool_call", id=id_, name=name, arguments=arguments(said))


def arguments(value: object) -> Any:
    """Arguments of a tool call: parsed, or as they are if they are no JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (RecursionError, ValueError):
            return text(value)
    return plain(value)


def unknown_part(item: object) -> Json:
    """What the conventions have no part for is kept as the text of its JSON."""
    said = json.dumps(plain(item), ensure_ascii=False, default=repr)
    return {"type": "text", "content": said}


def _text_part(item: object) -> Json | None:
    words: object = member(item, "text")
    return {"type": "text", "content": words} if isinstance(words, str) else None


def _image_part(item: object) -> Json | None:
    return linked(member(member(item, "image_url"), "url"), "image")


def _file_part(item: object) -> Json | None:
    file: object = member(item, "file")
    if (file_id := text(member(file, "file_id"))) is not None:
        return {"type": "file", "modality": "document", "file_id": file_id}
    return linked(member(file, "file_data"), "document")


def linked(url: object, modality: str) -> Json | None:
    """A blob, if `url` is a data URL."""
    part = image_from_url(url, modality=modality) if isinstance(url, str) else None
    return None if part is None else without_none(**vars(part))


_CONTENT: Final[Mapping[str, Callable[[object], Json | None]]] = {
    "text": _text_part,
    "image_url": _image_part,
    "file": _file_part,
}


def _content_part(item: object) -> Json:
    read = _CONTENT.get(str(member(item, "type")))
    return (read and read(item)) or unknown_part(item)


def _tool_definition(tool: object) -> Json:
    kind = text(member(tool, "type")) or "function"
    function: object = member(tool, "function")
    if function is None and kind == "function":  # as the Responses API has it
        function = tool
    if function is None:  # a tool that DeepSeek runs itself, `deepseek_web_search`
        return {"type": kind, "name": text(member(tool, "name")) or kind}
    return without_none(
        type=kind,
        name=text(member(function, "name")) or "",
        description=text(member(function, "description")),
        parameters=plain(member(function, "parameters")),
    )
