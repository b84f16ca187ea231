"""Rules for the messages: who may speak after whom, and what must be passed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chat_request import text_of, thinking_of
from ._errors import envelope, invalid
from ._json import items
from ._models import MODELS, SERVED_BY

if TYPE_CHECKING:
    from ._request_validation import Body, Complaints

_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages"
    " responding to each 'tool_call_id'"
)
_TOO_FEW = f"{_UNANSWERED}. (insufficient tool messages following tool_calls message)"
_NOT_CALLED = (
    "Messages with role 'tool' must be a response to a preceding message with"
    " 'tool_calls'"
)
MISPLACED_PREFIX = (
    "Invalid completion message: prefix set true with message which is not final"
    " message or message role is not assistant"
)


def images(body: Body) -> Complaints:
    model = MODELS[SERVED_BY[body["model"]]]
    if "image" in model["input_modalities"]:
        return
    for index, message in enumerate(body["messages"]):
        for part in items(message.get("content")):
            if part["type"] == "image_url":
                yield envelope(
                    400,
                    "Failed to deserialize the JSON body into the target type:"
                    f" messages[{index}]: unknown variant `image_url`, expected `text`",
                )


def messages(body: Body) -> Complaints:
    if not body["messages"]:
        yield "Empty input messages"
    unanswered: list[str] = []
    answered: list[str] = []
    for index, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            called = message["tool_call_id"]
            yield from _answer(called, index, unanswered, answered)
            answered.append(called)
            unanswered.remove(called)
            continue
        if unanswered:
            yield _TOO_FEW
        if message["role"] == "assistant":
            yield from _assistant(message, index)
        unanswered = [call["id"] for call in _calls(message)]
        answered = []
    if unanswered:
        yield _TOO_FEW
    for message in body["messages"][:-1]:
        if is_prefix(message):
            yield MISPLACED_PREFIX


def _answer(
    called: str, index: int, unanswered: list[str], answered: list[str]
) -> Complaints:
    if not unanswered:
        yield _NOT_CALLED
    if called in answered:
        yield f"Duplicate value for 'tool_call_id' of {called} in message[{index}]"
    if called not in unanswered:
        yield (
            f"{_UNANSWERED}, The following tool_call_ids did not have response"
            f" messages: {called}"
        )


def _assistant(message: Body, index: int) -> Complaints:
    calls = message.get("tool_calls")
    if calls is not None and not calls:
        yield (
            f"Invalid 'messages[{index}].tool_calls': empty array. Expected an array"
            " with minimum length 1, but got an empty array instead."
        )
    if message.get("content") is None and not calls:
        yield "Invalid assistant message: content or tool_calls must be set"


def _calls(message: Body) -> list[Body]:
    return items(message.get("tool_calls")) if message["role"] == "assistant" else []


def is_prefix(message: Body) -> bool:
    return message["role"] == "assistant" and bool(message.get("prefix"))


def reasoning_passed_back(body: Body) -> Complaints:
    """The library's rule: needed where tools were called since the last question."""
    if not thinking_of(body)[0]:
        return
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            return
        if _calls(message) and message.get("reasoning_content") is None:
            yield invalid(
                "The `reasoning_content` in the thinking mode must be passed back to"
                " the API.",
                with_request_id=True,
            )


def response_format(body: Body) -> Complaints:
    kind = (body.get("response_format") or {"type": "text"})["type"]
    if kind in ("json_schema", "regex"):
        yield "This response_format type is unavailable now"
    texts = [text_of(message).lower() for message in body["messages"]]
    if kind == "json_object" and not any("json" in text for text in texts):
        yield (
            "Prompt must contain the word 'json' in some form to use 'response_format'"
            " of type 'json_object'."
        )
