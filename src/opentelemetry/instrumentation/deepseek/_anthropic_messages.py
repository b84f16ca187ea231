"""Converts messages of Anthropic's API into message parts of the GenAI conventions."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from ._coerce import as_text, field_of, field_reader, items_of, omit_none
from ._content_parts import content_parts, part_from_url, text_parts
from ._genai import MessageContent, as_json_value
from ._messages import (
    MESSAGE_FINISH_REASONS,
    UNREADABLE_TOOL,
    convert_or_placeholder,
)
from ._think_tags import separate_reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]


def messages_request_content(body: Mapping[str, Any]) -> MessageContent:
    return MessageContent(
        input_messages=[
            message
            for item in items_of(body.get("messages"))
            for message in _separate_tool_results(
                convert_or_placeholder(_input_message, item)
            )
        ],
        system_instructions=convert_or_placeholder(_system_message, body.get("system"))[
            "parts"
        ],
        tool_definitions=[
            convert_or_placeholder(_tool_definition, tool, placeholder=UNREADABLE_TOOL)
            for tool in items_of(body.get("tools"))
        ],
    )


def answer_message(content: object, finish_reason: str) -> Json:
    """Converts the content of an answer; `finish_reason` is that of the span."""
    return {
        "role": "assistant",
        "parts": convert_or_placeholder(_answer, content)["parts"],
        "finish_reason": MESSAGE_FINISH_REASONS.get(finish_reason, finish_reason),
    }


def _system_message(system: object) -> Json:
    return {"role": "system", "parts": _parts(system)}


def _input_message(message: object) -> Json:
    role = as_text(field_of(message, "role")) or ""
    content: object = field_of(message, "content")
    return _answer(content) if role == "assistant" else _message(role, content)


def _answer(content: object) -> Json:
    return {"role": "assistant", "parts": separate_reasoning(_parts(content))}


def _message(role: str, content: object) -> Json:
    return {"role": role, "parts": _parts(content)}


def _separate_tool_results(message: Json) -> list[Json]:
    """Splits a message of the user, which also has the results of tools.

    In the conventions, as in Chat Completions, these have the role `tool`.
    """
    groups = groupby(message["parts"], lambda part: part["type"] == _TOOL_RESULT)
    return [
        {"role": "tool" if is_result else message["role"], "parts": list(parts)}
        for is_result, parts in groups
    ] or [message]


def _parts(content: object) -> list[Json]:
    if isinstance(content, str):
        return text_parts("text", content)
    return [part for block in items_of(content) for part in _block_parts(block)]


def _block_parts(block: object) -> list[Json]:
    block_type = as_text(field_of(block, "type")) or ""
    convert = _BLOCK_PARTS.get(block_type)
    # The server runs these tools: `web_search_tool_result`, `mcp_tool_use`.
    if convert is None and block_type.endswith("_tool_use"):
        convert = _server_tool_call_part
    elif convert is None and block_type.endswith("_tool_result"):
        convert = _server_tool_result_part
    part = None if convert is None else convert(block)
    # Texts, thinking, and what the conventions do not know.
    return content_parts([block]) if part is None else [part]


def _media_part(block: object) -> Json | None:
    """Converts an image or a document; None for a kind of source that is not known."""
    modality = as_text(field_of(block, "type")) or ""
    source = field_reader(field_of(block, "source"))
    match source("type"):
        case "base64" if isinstance(data := source("data"), str):
            url: object = f"data:{source('media_type')};base64,{data}"
            return part_from_url(url, modality)
        case "url":
            return part_from_url(source("url"), modality)
        case "file" if (file_id := as_text(source("file_id"))) is not None:
            return {"type": "file", "modality": modality, "file_id": file_id}
        case "text" if (text := as_text(source("data"))) is not None:
            return {"type": "text", "content": text}
        case _:
            return None


def _tool_call_part(block: object) -> Json:
    return omit_none(
        type="tool_call",
        id=as_text(field_of(block, "id")),
        name=as_text(field_of(block, "name")) or "",
        arguments=as_json_value(field_of(block, "input")),
    )


def _tool_result_part(block: object) -> Json:
    return omit_none(
        type=_TOOL_RESULT,
        id=as_text(field_of(block, "tool_use_id")),
        response=as_json_value(field_of(block, "content")) or "",
    )


def _server_tool_call_part(block: object) -> Json:
    name = as_text(field_of(block, "name")) or ""
    return omit_none(
        type="server_tool_call",
        id=as_text(field_of(block, "id")),
        name=name,
        server_tool_call=omit_none(
            type=name, input=as_json_value(field_of(block, "input"))
        ),
    )


def _server_tool_result_part(block: object) -> Json:
    return omit_none(
        type="server_tool_call_response",
        id=as_text(field_of(block, "tool_use_id")),
        server_tool_call_response=omit_none(
            type=as_text(field_of(block, "type")),
            content=as_json_value(field_of(block, "content")),
        ),
    )


_TOOL_RESULT: Final = "tool_call_response"
_BLOCK_PARTS: Final[Mapping[str, Callable[[object], Json | None]]] = {
    "document": _media_part,
    "image": _media_part,
    "tool_result": _tool_result_part,
    "tool_use": _tool_call_part,
}


def _tool_definition(tool: object) -> Json:
    kind = as_text(field_of(tool, "type")) or "custom"
    name = as_text(field_of(tool, "name")) or ""
    if kind != "custom":  # a tool that the server runs, `deepseek_web_search`
        return {"type": kind, "name": name or kind}
    return omit_none(
        type="function",
        name=name,
        description=as_text(field_of(tool, "description")),
        parameters=as_json_value(field_of(tool, "input_schema")),
    )
