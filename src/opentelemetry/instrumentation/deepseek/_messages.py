"""Converts chat messages into the message parts of the GenAI semantic conventions.

The parts and their fields:
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ._coerce import as_text, field_of, field_reader
from ._genai import as_json_value, image_from_url
from ._suppress import log_suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._choice import Choice

# The finish reasons of the conventions' messages. The span keeps DeepSeek's own.
_MESSAGE_FINISH_REASONS: Final[Mapping[str, str]] = {
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
    return [
        convert_or_placeholder(_input_message, message)
        for message in items_of(messages)
    ]


def output_message(choice: Choice) -> Json:
    finish_reason = choice.finish_reason or "error"
    return {
        "role": "assistant",
        "parts": [
            *_reasoning_and_text_parts(
                choice.reasoning.getvalue(), choice.content.getvalue()
            ),
            *(
                _tool_call_part(call.id, call.name, call.arguments.getvalue())
                for _, call in sorted(choice.tool_calls.items())
            ),
        ],
        "finish_reason": _MESSAGE_FINISH_REASONS.get(finish_reason, finish_reason),
    }


def tool_definitions(tools: object) -> list[Json]:
    return [
        convert_or_placeholder(_tool_definition, tool, placeholder=_UNREADABLE_TOOL)
        for tool in items_of(tools)
    ]


def convert_or_placeholder(
    convert: Callable[[object], Json],
    item: object,
    *,
    placeholder: Json = _UNREADABLE_MESSAGE,
) -> Json:
    """Converts an item; one that raises becomes a placeholder and costs no other."""
    try:
        return convert(item)
    except Exception as error:  # noqa: BLE001  # as suppress_errors, in half the time
        log_suppressed("reading a message", error)
        return placeholder


def items_of(value: object) -> Sequence[Any]:
    """Returns the items of a list.

    An iterator has none here, because only the SDK may consume it.
    """
    if type(value) is list:  # the usual case; this check is ten times as fast
        return value  # pyright: ignore[reportUnknownVariableType]  # items of any type
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value  # pyright: ignore[reportUnknownVariableType]  # items of any type
    return ()


def omit_none(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _input_message(message: object) -> Json:
    field = field_reader(message)
    role = as_text(field("role")) or ""
    content: object = field("content")
    if role == "tool":
        parts = [
            omit_none(
                type="tool_call_response",
                id=as_text(field("tool_call_id")),
                response=as_json_value(content) or "",
            )
        ]
    else:
        # The order in which DeepSeek generates them, streamed or not.
        parts = _reasoning_and_text_parts(field("reasoning_content"), content)
        for call in items_of(field("tool_calls")):
            function_field = field_reader(field_of(call, "function"))
            parts.append(
                _tool_call_part(
                    as_text(field_of(call, "id")),
                    as_text(function_field("name")) or "",
                    function_field("arguments"),
                )
            )
    converted: Json = {"role": role, "parts": parts}
    if (name := as_text(field("name"))) is not None:
        converted["name"] = name
    return converted


def _reasoning_and_text_parts(reasoning: object, content: object) -> list[Json]:
    parts: list[Json] = []
    if isinstance(reasoning, str) and reasoning:
        parts.append({"type": "reasoning", "content": reasoning})
    if isinstance(content, str):
        if content:
            parts.append({"type": "text", "content": content})
    elif content is not None:
        parts.extend(_content_part(item) for item in items_of(content))
    return parts


def _tool_call_part(id_: str | None, name: str, arguments: object) -> Json:
    return omit_none(
        type="tool_call", id=id_, name=name, arguments=parse_arguments(arguments)
    )


def parse_arguments(arguments: object) -> Any:
    """Parses the arguments of a tool call; returns them as text if they are no JSON."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (RecursionError, ValueError):
            return as_text(arguments)
    return as_json_value(arguments)


def json_text_part(item: object) -> Json:
    """Returns a text part with the JSON of an item that the conventions do not know."""
    text = json.dumps(as_json_value(item), ensure_ascii=False, default=repr)
    return {"type": "text", "content": text}


def _text_part(item: object) -> Json | None:
    text: object = field_of(item, "text")
    return {"type": "text", "content": text} if isinstance(text, str) else None


def _image_part(item: object) -> Json | None:
    return part_from_url(field_of(field_of(item, "image_url"), "url"), "image")


def _file_part(item: object) -> Json | None:
    file: object = field_of(item, "file")
    if (file_id := as_text(field_of(file, "file_id"))) is not None:
        return {"type": "file", "modality": "document", "file_id": file_id}
    return part_from_url(field_of(file, "file_data"), "document")


def part_from_url(url: object, modality: str) -> Json | None:
    """Returns a blob part for a data URL, a URI part for any other URL.

    Returns None if `url` is no text or is an invalid data URL.
    """
    part = image_from_url(url, modality=modality) if isinstance(url, str) else None
    return None if part is None else omit_none(**vars(part))


_CONTENT_PARTS: Final[Mapping[str, Callable[[object], Json | None]]] = {
    "text": _text_part,
    "image_url": _image_part,
    "file": _file_part,
}


def _content_part(item: object) -> Json:
    convert = _CONTENT_PARTS.get(str(field_of(item, "type")))
    return (convert and convert(item)) or json_text_part(item)


def _tool_definition(tool: object) -> Json:
    kind = as_text(field_of(tool, "type")) or "function"
    function: object = field_of(tool, "function")
    if function is None and kind == "function":  # the shape of the Responses API
        function = tool
    if function is None:  # a tool that DeepSeek runs itself, `deepseek_web_search`
        return {"type": kind, "name": as_text(field_of(tool, "name")) or kind}
    return omit_none(
        type=kind,
        name=as_text(field_of(function, "name")) or "",
        description=as_text(field_of(function, "description")),
        parameters=as_json_value(field_of(function, "parameters")),
    )
