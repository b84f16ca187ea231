"""Converts messages in span events to attributes of the current conventions.

Until version 1.36 the conventions had one event for each message, and some libraries
add these events to the span. The message is in the event's attributes. Azure's SDKs and
Semantic Kernel write it as the body of the event, in `gen_ai.event.content`. Strands
Agents writes the content as blocks of Amazon Bedrock. MLflow itself reads only
`content`, and no tools.

https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import as_text, message_text
from opentelemetry.exporter.mlflow._mapping._json import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import Event

    from opentelemetry.exporter.mlflow._mapping._chat import Json

    # The name and the attributes of each event.
    Events = list[tuple[str, Mapping[str, Any]]]

_INPUT = "gen_ai.input.messages"
_OUTPUT = "gen_ai.output.messages"
_ARGUMENTS = "gen_ai.tool.call.arguments"
_RESULT = "gen_ai.tool.call.result"
# If the span has the second attribute, it has the content of the first one already.
_MAPPED_TO = {
    _INPUT: "mlflow.spanInputs",
    _OUTPUT: "mlflow.spanOutputs",
    _ARGUMENTS: "mlflow.spanInputs",
    _RESULT: "mlflow.spanOutputs",
}

_CHOICE = "gen_ai.choice"
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    _CHOICE: "assistant",
}
# The current event has the attributes of a span.
_DETAILS = "gen_ai.client.inference.operation.details"
_DETAILS_ATTRIBUTES = (
    _INPUT,
    _OUTPUT,
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)


def with_event_messages(
    attributes: Mapping[str, Any] | None, events: Sequence[Event]
) -> Mapping[str, Any] | None:
    """Return `attributes` with the messages of `events` that these do not have.

    Never raises.
    """
    message_events = [
        (event.name, event.attributes or {})
        for event in events
        if event.name in _ROLES or event.name == _DETAILS
    ]
    if not message_events:
        return attributes
    span_attributes = attributes or {}
    is_tool = span_attributes.get("gen_ai.operation.name") == "execute_tool"
    convert = _tool_attributes if is_tool else _message_attributes
    try:
        converted = _details_attributes(message_events) | convert(message_events)
    except (RecursionError, TypeError, ValueError):
        return attributes
    missing = {
        name: value
        for name, value in converted.items()
        if _MAPPED_TO.get(name, name) not in span_attributes
    }
    return {**missing, **span_attributes}


def _details_attributes(events: Events) -> Json:
    """If there are several such events, the first one counts."""
    return {
        attribute: attributes[attribute]
        for name, attributes in reversed(events)
        if name == _DETAILS
        for attribute in _DETAILS_ATTRIBUTES
        if attribute in attributes
    }


def _tool_attributes(events: Events) -> Json:
    """The arguments are a message to the tool, and the result is a choice."""
    converted: Json = {}
    for name, body in _message_bodies(events):
        content = body.get("message", body.get("content"))
        if content is None:
            continue
        if name == _CHOICE:
            converted[_RESULT] = _blocks_text(_decode(content)) or as_text(content)
        elif name == "gen_ai.tool.message":
            converted[_ARGUMENTS] = as_text(content)
    return converted


def _message_attributes(events: Events) -> Json:
    messages: dict[str, list[Json]] = {_INPUT: [], _OUTPUT: []}
    for name, body in _message_bodies(events):
        is_choice = name == _CHOICE
        message = _message(_choice_message(body) if is_choice else body, _ROLES[name])
        if is_choice:
            message["finish_reason"] = body.get("finish_reason")
        if message["parts"]:
            messages[_OUTPUT if is_choice else _INPUT].append(message)
    return {name: as_text(value) for name, value in messages.items() if value}


def _message_bodies(events: Events) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, attributes in events:
        if name == _DETAILS:
            continue
        content = attributes.get("gen_ai.event.content")
        body = _decode(content)
        if isinstance(body, Mapping):
            yield name, cast("Json", body)
        else:
            yield name, attributes if content is None else {"content": content}


def _choice_message(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "message" not in body:
        return body
    message = _decode(body["message"])
    if isinstance(message, Mapping):
        return cast("Json", message)
    return {"content": body["message"]}


def _message(body: Mapping[str, Any], role: str) -> Json:
    content = body.get("content")
    parts = _parts(content)
    if role == "tool" and parts and parts[0]["type"] != "tool_call_response":
        call_id = body.get("id", body.get("tool_call_id"))
        parts = [{"type": "tool_call_response", "id": call_id, "response": content}]
    tool_calls = _decode(body.get("tool_calls"))
    if isinstance(tool_calls, (list, tuple)):
        parts += map(_tool_call_part, cast("list[Any]", tool_calls))
    return {"role": role, "parts": parts}


def _parts(content: Any) -> list[Json]:
    blocks = _decode(content)
    if _is_block_list(blocks):
        return [_part(block) for block in blocks]
    return [{"type": "text", "content": content}] if content else []


def _part(block: Json) -> Json:
    match block:
        case {"text": str(text)}:
            return {"type": "text", "content": text}
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}}:
            return {"type": "reasoning", "content": text}
        case {"toolUse": {"name": name, "toolUseId": call_id, "input": arguments}}:
            return {
                "type": "tool_call",
                "id": call_id,
                "name": name,
                "arguments": arguments,
            }
        case {"toolResult": {"toolUseId": call_id, "content": result}}:
            response = _blocks_text(result) or result
            return {"type": "tool_call_response", "id": call_id, "response": response}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "uri", "modality": "image", "uri": url}
        case _:
            return {"type": "text", "content": block}


def _tool_call_part(tool_call: Any) -> Json:
    match tool_call:
        case {"function": {"name": name, **function}}:
            return {
                "type": "tool_call",
                "id": tool_call.get("id"),
                "name": name,
                "arguments": function.get("arguments"),
            }
        case _:
            return {"type": "text", "content": tool_call}


def _blocks_text(blocks: Any) -> str:
    return message_text({"content": blocks}) if _is_block_list(blocks) else ""


def _is_block_list(value: Any) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    blocks = cast("list[Any]", value)
    return bool(blocks) and all(isinstance(block, Mapping) for block in blocks)


def _decode(value: Any) -> Any:
    """Decode a string that is a JSON list or object. Keep any other value."""
    if not (isinstance(value, str) and value.startswith(("[", "{"))):
        return value
    try:
        return decode(value)
    except (RecursionError, ValueError):
        return value
