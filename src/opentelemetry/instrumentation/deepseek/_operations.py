"""The operations that are instrumented, and how the data of each is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from ._anthropic_messages import messages_request_content
from ._anthropic_response import MessagesAccumulator
from ._coerce import items_of
from ._genai import MessageContent
from ._messages import input_messages, tool_definitions
from ._request import COMPLETIONS_FIELDS, MESSAGES_FIELDS, RESPONSES_FIELDS
from ._response import ResponseAccumulator
from ._responses_api import ResponsesAccumulator
from ._responses_messages import responses_request_content

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._request import RequestFields


class Operation(NamedTuple):
    """An API of DeepSeek; `name` is its `gen_ai.operation.name`."""

    name: str
    request_fields: RequestFields
    request_content: Callable[[Mapping[str, Any]], MessageContent]
    accumulator: type[ResponseAccumulator | ResponsesAccumulator | MessagesAccumulator]


def _chat_request_content(body: Mapping[str, Any]) -> MessageContent:
    return MessageContent(
        input_messages=input_messages(body.get("messages")),
        tool_definitions=tool_definitions(
            # `functions` is the former name of `tools`.
            [*items_of(body.get("tools")), *items_of(body.get("functions"))]
        ),
    )


def _text_request_content(body: Mapping[str, Any]) -> MessageContent:
    """Returns one message for each prompt, with the suffix as its second part."""
    prompt: object = body.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else items_of(prompt)
    return MessageContent(
        input_messages=[
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": text}
                    for text in (item, body.get("suffix"))
                    if isinstance(text, str)
                ],
            }
            for item in prompts
        ]
    )


OPERATIONS: Final[Mapping[str, Operation]] = {
    "chat": Operation(
        "chat", COMPLETIONS_FIELDS, _chat_request_content, ResponseAccumulator
    ),
    "text_completion": Operation(
        "text_completion",
        COMPLETIONS_FIELDS,
        _text_request_content,
        ResponseAccumulator,
    ),
    "responses": Operation(
        "chat", RESPONSES_FIELDS, responses_request_content, ResponsesAccumulator
    ),
    "messages": Operation(
        "chat", MESSAGES_FIELDS, messages_request_content, MessagesAccumulator
    ),
}

# The end of the path of each API, and its name in OPERATIONS.
_API_PATHS: Final = (
    ("/chat/completions", "chat"),
    ("/completions", "text_completion"),
    ("/responses", "responses"),
    ("/v1/messages", "messages"),
)


def operation_of_address(address: str) -> Operation | None:
    """Returns the operation of the URL of a request; None if it is of another API."""
    path = urlsplit(address).path
    for ending, name in _API_PATHS:
        if path.endswith(ending):
            return OPERATIONS[name]
    return None
