"""Messages that stand on events of a span, as attributes of today's conventions.

Until version 1.36 the conventions had an event for each message, and some libraries
write these on the span. What a message is stands in the event's attributes, or, as the
body of the event, in `gen_ai.event.content` (Azure's SDKs, Semantic Kernel); Strands
Agents writes the content as Amazon Bedrock's blocks. MLflow reads `content` alone, and
no tools.

https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import text_of, written
from opentelemetry.exporter.mlflow._mapping._json import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import Event

    from opentelemetry.exporter.mlflow._mapping._chat import Json

    Said = list[tuple[str, Mapping[str, Any]]]

_INPUT = "gen_ai.input.messages"
_OUTPUT = "gen_ai.output.messages"
_ARGUMENTS = "gen_ai.tool.call.arguments"
_RESULT = "gen_ai.tool.call.result"
# Where the content of each stands already.
_SHOWN = {
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
# Today's event has the attributes of a span.
_DETAILS = "gen_ai.client.inference.operation.details"
_DETAILED = (_INPUT, _OUTPUT, "gen_ai.system_instructions", "gen_ai.tool.definitions")


def with_messages(
    attributes: Mapping[str, Any] | None, events: Sequence[Event]
) -> Mapping[str, Any] | None:
    """`attributes`, and what `events` have of messages where these have nothing.

    Never raises.
    """
    said = [
        (event.name, event.attributes or {})
        for event in events
        if event.name in _ROLES or event.name == _DETAILS
    ]
    if not said:
        return attributes
    own = attributes or {}
    is_tool = own.get("gen_ai.operation.name") == "execute_tool"
    try:
        found = _detailed(said) | (_tool(said) if is_tool else _conversation(said))
    except (RecursionError, TypeError, ValueError):
        return attributes
    new = {n: value for n, value in found.items() if _SHOWN.get(n, n) not in own}
    return {**new, **own}


def _detailed(said: Said) -> Json:
    """Of several, the first."""
    return {
        detail: attributes[detail]
        for name, attributes in reversed(said)
        if name == _DETAILS
        for detail in _DETAILED
        if detail in attributes
    }


def _tool(said: Said) -> Json:
    """The arguments are a message to the tool, and its result is a choice."""
    found: Json = {}
    for name, body in _bodies(said):
        content = body.get("message", body.get("content"))
        if content is None:
            continue
        if name == _CHOICE:
            found[_RESULT] = _text(_read(content)) or written(content)
        elif name == "gen_ai.tool.message":
            found[_ARGUMENTS] = written(content)
    return found


def _conversation(said: Said) -> Json:
    messages: dict[str, list[Json]] = {_INPUT: [], _OUTPUT: []}
    for name, body in _bodies(said):
        is_choice = name == _CHOICE
        message = _message(_chosen(body) if is_choice else body, _ROLES[name])
        if is_choice:
            message["finish_reason"] = body.get("finish_reason")
        if message["parts"]:
            messages[_OUTPUT if is_choice else _INPUT].append(message)
    return {name: written(those) for name, those in messages.items() if those}


def _bodies(said: Said) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, attributes in said:
        if name == _DETAILS:
            continue
        content = attributes.get("gen_ai.event.content")
        body = _read(content)
        if isinstance(body, Mapping):
            yield name, cast("Json", body)
        else:
            yield name, attributes if content is None else {"content": content}


def _chosen(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "message" not in body:
        return body
    message = _read(body["message"])
    if isinstance(message, Mapping):
        return cast("Json", message)
    return {"content": body["message"]}


def _message(body: Mapping[str, Any], role: str) -> Json:
    content = body.get("content")
    parts = _parts(content)
    if role == "tool" and parts and parts[0]["type"] != "tool_call_response":
        answers = body.get("id", body.get("tool_call_id"))
        parts = [{"type": "tool_call_response", "id": answers, "response": content}]
    calls = _read(body.get("tool_calls"))
    if isinstance(calls, (list, tuple)):
        parts += map(_call, cast("list[Any]", calls))
    return {"role": role, "parts": parts}


def _parts(content: Any) -> list[Json]:
    blocks = _read(content)
    if _are_blocks(blocks):
        return [_part(block) for block in blocks]
    return [{"type": "text", "content": content}] if content else []


def _part(block: Json) -> Json:
    match block:
        case {"text": str(text)}:
            return {"type": "text", "content": text}
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}}:
            return {"type": "reasoning", "content": text}
        case {"toolUse": {"name": name, "toolUseId": call, "input": arguments}}:
            return {
                "type": "tool_call",
                "id": call,
                "name": name,
                "arguments": arguments,
            }
        case {"toolResult": {"toolUseId": call, "content": result}}:
            response = _text(result) or result
            return {"type": "tool_call_response", "id": call, "response": response}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "uri", "modality": "image", "uri": url}
        case _:
            return {"type": "text", "content": block}


def _call(call: Any) -> Json:
    match call:
        case {"function": {"name": name, **function}}:
            return {
                "type": "tool_call",
                "id": call.get("id"),
                "name": name,
                "arguments": function.get("arguments"),
            }
        case _:
            return {"type": "text", "content": call}


def _text(blocks: Any) -> str:
    return text_of({"content": blocks}) if _are_blocks(blocks) else ""


def _are_blocks(value: Any) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    blocks = cast("list[Any]", value)
    return bool(blocks) and all(isinstance(block, Mapping) for block in blocks)


def _read(value: Any) -> Any:
    """What is written as JSON, if it is a list or an object; else as it is."""
    if not (isinstance(value, str) and value.startswith(("[", "{"))):
        return value
    try:
        return decode(value)
    except (RecursionError, ValueError):
        return value
