"""Chat messages, as the message parts of the GenAI semantic conventions. Pure.

The parts, and what each must have:
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ._genai import (
    image_from_url,
    object_to_any_value,
    tool_arguments_to_any_value,
)
from ._values import member, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ._answer import Choice

# What a message calls a finish; on spans it keeps DeepSeek's word.
_FINISHES: Final[Mapping[str, str]] = {
    "tool_calls": "tool_call",
    "insufficient_system_resource": "error",
    "aborted": "error",
}


Json = dict[str, Any]


def input_messages(messages: object) -> list[Json]:
    return [_input_message(message) for message in _items(messages)]


def output_message(choice: Choice) -> Json:
    finish = choice.finish_reason or "error"
    return {
        "role": "assistant",
        "parts": _spoken(
            choice.reasoning.getvalue(),
            choice.content.getvalue(),
            (
                (call.id, call.name, call.arguments.getvalue())
                for _, call in sorted(choice.tool_calls.items())
            ),
        ),
        "finish_reason": _FINISHES.get(finish, finish),
    }


def tool_definitions(tools: object) -> list[Json]:
    return [_tool_definition(tool) for tool in _items(tools)]


def _items(value: object) -> Sequence[Any]:
    """The items of a list; none of an iterator, which is the caller's to read once."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value  # pyright: ignore[reportUnknownVariableType]  # of anything
    return ()


def _without_none(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _input_message(message: object) -> Json:
    role = text(member(message, "role")) or ""
    content: object = member(message, "content")
    if role == "tool":
        parts = [
            _without_none(
                type="tool_call_response",
                id=text(member(message, "tool_call_id")),
                response=object_to_any_value(content) or "",
            )
        ]
    else:
        parts = _spoken(
            member(message, "reasoning_content"),
            content,
            (
                (
                    text(member(call, "id")),
                    text(member(member(call, "function"), "name")) or "",
                    member(member(call, "function"), "arguments"),
                )
                for call in _items(member(message, "tool_calls"))
            ),
        )
    return _without_none(role=role, parts=parts, name=text(member(message, "name")))


def _spoken(
    reasoning: object,
    content: object,
    tool_calls: Iterable[tuple[str | None, str, object]],
) -> list[Json]:
    """Parts in the order in which DeepSeek makes them, streamed or not."""
    parts: list[Json] = []
    if isinstance(reasoning, str) and reasoning:
        parts.append({"type": "reasoning", "content": reasoning})
    if isinstance(content, str):
        if content:
            parts.append({"type": "text", "content": content})
    else:
        parts.extend(_content_part(item) for item in _items(content))
    parts.extend(
        _without_none(
            type="tool_call",
            id=id_,
            name=name,
            arguments=tool_arguments_to_any_value(arguments),
        )
        for id_, name, arguments in tool_calls
    )
    return parts


def _text_part(item: object) -> Json | None:
    words: object = member(item, "text")
    return {"type": "text", "content": words} if isinstance(words, str) else None


def _image_part(item: object) -> Json | None:
    return _linked(member(member(item, "image_url"), "url"), "image")


def _file_part(item: object) -> Json | None:
    file: object = member(item, "file")
    if (file_id := text(member(file, "file_id"))) is not None:
        return {"type": "file", "modality": "document", "file_id": file_id}
    return _linked(member(file, "file_data"), "document")


def _linked(url: object, modality: str) -> Json | None:
    """A blob, if `url` is a data URL."""
    part = image_from_url(url, modality=modality) if isinstance(url, str) else None
    return None if part is None else _without_none(**vars(part))


_CONTENT: Final[Mapping[str, Callable[[object], Json | None]]] = {
    "text": _text_part,
    "image_url": _image_part,
    "file": _file_part,
}


def _content_part(item: object) -> Json:
    read = _CONTENT.get(str(member(item, "type")))
    # What the conventions have no part for is kept as the text of its JSON.
    return (read and read(item)) or {
        "type": "text",
        "content": json.dumps(
            object_to_any_value(item), ensure_ascii=False, default=repr
        ),
    }


def _tool_definition(tool: object) -> Json:
    kind = text(member(tool, "type")) or "function"
    function: object = member(tool, "function")
    if function is None:  # a tool that DeepSeek runs itself, `deepseek_web_search`
        return {"type": kind, "name": text(member(tool, "name")) or kind}
    return _without_none(
        type=kind,
        name=text(member(function, "name")) or "",
        description=text(member(function, "description")),
        parameters=object_to_any_value(member(function, "parameters")),
    )
