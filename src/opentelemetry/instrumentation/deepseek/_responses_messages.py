"""Converts items of the Responses API into message parts of the GenAI conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._coerce import as_text, field_of, items_of, omit_none
from ._content_parts import content_parts, json_text_part
from ._genai import MessageContent, as_json_value
from ._messages import convert_or_placeholder, parse_arguments, tool_definitions
from ._think_tags import separate_reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Json = dict[str, Any]


def responses_request_content(body: Mapping[str, Any]) -> MessageContent:
    input_: object = body.get("input")
    if isinstance(input_, str):
        input_ = [{"role": "user", "content": input_}]
    instructions = body.get("instructions")
    return MessageContent(
        input_messages=_messages(items_of(input_)),
        system_instructions=[{"type": "text", "content": instructions}]
        if isinstance(instructions, str)
        else (),
        tool_definitions=tool_definitions(body.get("tools")),
    )


def _messages(items: Sequence[object]) -> list[Json]:
    """Converts items to messages; consecutive items of the assistant are one."""
    messages: list[Json] = []
    for item in items:
        message = convert_or_placeholder(item_message, item)
        if messages and messages[-1]["role"] == message["role"] == "assistant":
            messages[-1]["parts"].extend(message["parts"])
        else:
            messages.append(message)
    return messages


def item_message(item: object) -> Json:
    """Converts an item to a message of its role."""
    is_output = field_of(item, "type") == "function_call_output"
    role = as_text(field_of(item, "role")) or ("tool" if is_output else "assistant")
    parts = _parts(item)
    if role == "assistant":
        parts = separate_reasoning(parts)
    return {"role": role, "parts": parts}


def _parts(item: object) -> list[Json]:
    convert = _ITEM_PARTS.get(str(field_of(item, "type") or "message"))
    return [json_text_part(item)] if convert is None else convert(item)


def _message_parts(item: object) -> list[Json]:
    return content_parts(field_of(item, "content"))


def _reasoning_parts(item: object) -> list[Json]:
    pieces = items_of(field_of(item, "content")) or items_of(field_of(item, "summary"))
    reasoning = "".join(as_text(field_of(piece, "text")) or "" for piece in pieces)
    return [{"type": "reasoning", "content": reasoning}] if reasoning else []


def _function_call_parts(item: object) -> list[Json]:
    return [
        omit_none(
            type="tool_call",
            id=as_text(field_of(item, "call_id")),
            name=as_text(field_of(item, "name")) or "",
            arguments=parse_arguments(field_of(item, "arguments")),
        )
    ]


def _function_call_output_parts(item: object) -> list[Json]:
    return [
        omit_none(
            type="tool_call_response",
            id=as_text(field_of(item, "call_id")),
            response=as_json_value(field_of(item, "output")) or "",
        )
    ]


def _web_search_call_parts(item: object) -> list[Json]:
    action: Any = as_json_value(field_of(item, "action")) or {}
    return [
        omit_none(
            type="server_tool_call",
            id=as_text(field_of(item, "id")),
            name="web_search",
            server_tool_call={"type": "web_search", "action": omit_none(**action)},
        )
    ]


_ITEM_PARTS: Final[Mapping[str, Callable[[object], list[Json]]]] = {
    "message": _message_parts,
    "reasoning": _reasoning_parts,
    "function_call": _function_call_parts,
    "function_call_output": _function_call_output_parts,
    "web_search_call": _web_search_call_parts,
}
