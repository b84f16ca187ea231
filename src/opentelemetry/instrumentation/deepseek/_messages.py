"""Converts chat messages into the message parts of the GenAI semantic conventions.

The parts and their fields:
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ._coerce import as_text, field_of, field_reader, items_of, omit_none
from ._content_parts import content_parts, text_parts
from ._genai import as_json_value
from ._suppress import log_suppressed
from ._think_tags import separate_reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The finish reasons of the conventions' messages. The span keeps DeepSeek's own.
MESSAGE_FINISH_REASONS: Final[Mapping[str, str]] = {
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "insufficient_system_resource": "error",
    "aborted": "error",
}

Json = dict[str, Any]

# `function` is the role of the former `function_call`.
_TOOL_ROLES: Final = frozenset({"tool", "function"})
# A text completion has no role.
_MODEL_ROLES: Final = frozenset({"assistant", ""})
_UNREADABLE: Final = "[unreadable]"
_UNREADABLE_MESSAGE: Final[Json] = {
    "role": "unknown",
    "parts": [{"type": "text", "content": _UNREADABLE}],
}
UNREADABLE_TOOL: Final[Json] = {"type": "function", "name": _UNREADABLE}


def input_messages(messages: object) -> list[Json]:
    return [
        convert_or_placeholder(_chat_message, message) for message in items_of(messages)
    ]


def output_message(
    message: object, finish_reason: str | None, *, joins_texts: bool
) -> Json:
    """Converts a message of a response.

    Args:
        message: an object of the SDK, or JSON.
        finish_reason: of the choice, or None if it was cut off.
        joins_texts: whether consecutive texts are pieces of one text.
    """
    finish_reason = finish_reason or "error"
    convert = partial(_chat_message, joins_texts=joins_texts)
    return {
        "role": "assistant",
        "parts": convert_or_placeholder(convert, message)["parts"],
        "finish_reason": MESSAGE_FINISH_REASONS.get(finish_reason, finish_reason),
    }


def tool_definitions(tools: object) -> list[Json]:
    return [
        convert_or_placeholder(_tool_definition, tool, placeholder=UNREADABLE_TOOL)
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


def _chat_message(message: object, *, joins_texts: bool = False) -> Json:
    """Converts a message of a request or of a response."""
    field = field_reader(message)
    role = as_text(field("role")) or ""
    content: object = field("content")
    if role in _TOOL_ROLES:
        parts = [
            omit_none(
                type="tool_call_response",
                id=as_text(field("tool_call_id")),
                response=as_json_value(content) or "",
            )
        ]
    else:
        # The order in which DeepSeek generates them, streamed or not.
        parts = [
            *text_parts("reasoning", field("reasoning_content") or field("reasoning")),
            *content_parts(content, joins_texts=joins_texts),
            *text_parts("text", field("refusal")),
            *(_tool_call_part(call) for call in items_of(field("tool_calls"))),
        ]
        # The former name of `tool_calls`.
        if (function := field("function_call")) is not None:
            parts.append(_function_call_part(None, function))
        if role in _MODEL_ROLES:
            parts = separate_reasoning(parts)
    converted: Json = {"role": role, "parts": parts}
    if (name := as_text(field("name"))) is not None:
        converted["name"] = name
    return converted


def _tool_call_part(call: object) -> Json:
    return _function_call_part(
        as_text(field_of(call, "id")), field_of(call, "function")
    )


def _function_call_part(call_id: str | None, function: object) -> Json:
    return omit_none(
        type="tool_call",
        id=call_id,
        name=as_text(field_of(function, "name")) or "",
        arguments=parse_arguments(field_of(function, "arguments")),
    )


def parse_arguments(arguments: object) -> Any:
    """Parses the arguments of a tool call.

    Returns them as text if they are not JSON, or contain NaN or an infinite number.
    """
    if not isinstance(arguments, str):
        return as_json_value(arguments)
    try:
        parsed = json.loads(arguments)
        return parsed if as_json_value(parsed) == parsed else as_text(arguments)
    except (RecursionError, ValueError):
        return as_text(arguments)


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
