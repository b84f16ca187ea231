"""Rules for messages: their order, and the content that must be passed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chat_request import message_text, thinking_and_effort
from ._errors import json_error, validation_error
from ._json import array_items
from ._models import MODELS, SERVING_MODELS

if TYPE_CHECKING:
    from ._request_validation import Body, Violations

_MISSING_TOOL_MESSAGE = (
    "An assistant message with 'tool_calls' must be followed by tool messages"
    " responding to each 'tool_call_id'"
)
_TOO_FEW_TOOL_MESSAGES = (
    f"{_MISSING_TOOL_MESSAGE}. (insufficient tool messages following tool_calls"
    " message)"
)
_NO_PRECEDING_TOOL_CALL = (
    "Messages with role 'tool' must be a response to a preceding message with"
    " 'tool_calls'"
)
MISPLACED_PREFIX = (
    "Invalid completion message: prefix set true with message which is not final"
    " message or message role is not assistant"
)


def images(body: Body) -> Violations:
    model = MODELS[SERVING_MODELS[body["model"]]]
    if "image" in model["input_modalities"]:
        return
    for index, message in enumerate(body["messages"]):
        for part in array_items(message.get("content")):
            if part["type"] == "image_url":
                yield json_error(
                    400,
                    "Failed to deserialize the JSON body into the target type:"
                    f" messages[{index}]: unknown variant `image_url`, expected `text`",
                )


def messages(body: Body) -> Violations:
    if not body["messages"]:
        yield "Empty input messages"
    pending_ids: list[str] = []
    resolved_ids: list[str] = []
    for index, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            call_id = message["tool_call_id"]
            yield from _tool_message(call_id, index, pending_ids, resolved_ids)
            resolved_ids.append(call_id)
            pending_ids.remove(call_id)
            continue
        if pending_ids:
            yield _TOO_FEW_TOOL_MESSAGES
        if message["role"] == "assistant":
            yield from _assistant_message(message, index)
        pending_ids = [call["id"] for call in _tool_calls(message)]
        resolved_ids = []
    if pending_ids:
        yield _TOO_FEW_TOOL_MESSAGES
    for message in body["messages"][:-1]:
        if is_prefix(message):
            yield MISPLACED_PREFIX


def _tool_message(
    call_id: str, index: int, pending_ids: list[str], resolved_ids: list[str]
) -> Violations:
    if not pending_ids:
        yield _NO_PRECEDING_TOOL_CALL
    if call_id in resolved_ids:
        yield f"Duplicate value for 'tool_call_id' of {call_id} in message[{index}]"
    if call_id not in pending_ids:
        yield (
            f"{_MISSING_TOOL_MESSAGE}, The following tool_call_ids did not have"
            f" response messages: {call_id}"
        )


def _assistant_message(message: Body, index: int) -> Violations:
    tool_calls = message.get("tool_calls")
    if tool_calls is not None and not tool_calls:
        yield (
            f"Invalid 'messages[{index}].tool_calls': empty array. Expected an array"
            " with minimum length 1, but got an empty array instead."
        )
    if message.get("content") is None and not tool_calls:
        yield "Invalid assistant message: content or tool_calls must be set"


def _tool_calls(message: Body) -> list[Body]:
    if message["role"] != "assistant":
        return []
    return array_items(message.get("tool_calls"))


def is_prefix(message: Body) -> bool:
    """Returns whether `message` is the start of the answer (prefix completion)."""
    return message["role"] == "assistant" and bool(message.get("prefix"))


def reasoning_content(body: Body) -> Violations:
    """Requires the reasoning of messages with tool calls since the last user message.

    This is the rule of deepseek-recipe.
    """
    if not thinking_and_effort(body)[0]:
        return
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            return
        if _tool_calls(message) and message.get("reasoning_content") is None:
            yield validation_error(
                "The `reasoning_content` in the thinking mode must be passed back to"
                " the API.",
                with_request_id=True,
            )


def response_format(body: Body) -> Violations:
    format_type = (body.get("response_format") or {"type": "text"})["type"]
    if format_type in ("json_schema", "regex"):
        yield "This response_format type is unavailable now"
    texts = [message_text(message).lower() for message in body["messages"]]
    if format_type == "json_object" and not any("json" in text for text in texts):
        yield (
            "Prompt must contain the word 'json' in some form to use 'response_format'"
            " of type 'json_object'."
        )
