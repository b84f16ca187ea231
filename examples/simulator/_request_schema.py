"""The types of chat and FIM request bodies, as DeepSeek's parser declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._json import is_object
from ._validators import (
    MismatchError,
    anything,
    boolean,
    number,
    one_of,
    sequence,
    string,
    string_or,
    struct,
    tagged_union,
    unsigned,
    with_message_prefix,
)

if TYPE_CHECKING:
    from ._validators import Path, Validator

_IMAGE_DETAIL = one_of("low", "high", "original", "auto")
_FUNCTION_TYPE = one_of("function")

_TEXT_PART = struct("TextPart", {"text": string})
_IMAGE_URL = struct(
    "ChatCompletionImageUrl", {"url": string}, {"detail": _IMAGE_DETAIL}
)
_CONTENT_PART = tagged_union(
    "ChatCompletionRequestContentBlock",
    "type",
    {
        "text": _TEXT_PART,
        "image_url": struct("ImagePart", {"image_url": _IMAGE_URL}),
        "file": struct("FilePart", {"file": struct("File", {})}),
    },
)
_CONTENT = string_or(sequence(_CONTENT_PART), "content should be a string or a list")

_FUNCTION_CALL = struct(
    "ChatCompletionRequestFunctionCall", {"name": string, "arguments": string}
)
_TOOL_CALL = struct(
    "ChatCompletionRequestToolCall",
    {"id": string, "type": _FUNCTION_TYPE, "function": _FUNCTION_CALL},
)
_REQUIRED_CONTENT = {"content": _CONTENT}
_MESSAGE = tagged_union(
    "ChatCompletionRequestMessage",
    "role",
    {
        "system": struct("SystemMessage", _REQUIRED_CONTENT, {"name": string}),
        "user": struct("UserMessage", _REQUIRED_CONTENT, {"name": string}),
        "assistant": struct(
            "AssistantMessage",
            {},
            {
                "content": _CONTENT,
                "reasoning_content": string,
                "tool_calls": sequence(_TOOL_CALL),
                "prefix": boolean,
            },
        ),
        "tool": struct("ToolMessage", {**_REQUIRED_CONTENT, "tool_call_id": string}),
        "latest_reminder": struct("LatestReminderMessage", _REQUIRED_CONTENT),
    },
)

_FUNCTION_DEFINITION = struct(
    "ChatCompletionFunctionDefinition",
    {"name": string},
    {"description": string, "strict": boolean},
)
_TOOL_STRUCT = struct(
    "ChatCompletionTool",
    {
        # The server tools of November 2026 are accepted and never used: the form of a
        # search in a chat completion is not documented.
        "type": one_of("function", "deepseek_web_search", "deepseek_read_url"),
    },
    {"function": _FUNCTION_DEFINITION},
)


def _tool(value: Any, path: Path) -> None:
    _TOOL_STRUCT(value, path)
    if value["type"] == "function" and not value.get("function"):
        raise MismatchError("missing field `function`", path)


_THINKING_OPTIONS = struct(
    "ThinkingOptions", {"type": one_of("adaptive", "enabled", "disabled")}
)


def _thinking(value: Any, path: Path) -> None:
    """Responds to `"thinking": true` with 422, the only type error known to do so."""
    try:
        _THINKING_OPTIONS(value, path)
    except MismatchError as error:
        if not isinstance(value, dict):
            error.status = 422
        raise


_CHOSEN_TYPE = with_message_prefix("field `type`: ", _FUNCTION_TYPE)
_CHOSEN_FUNCTION = with_message_prefix(
    "field `function`: ", struct("ChatCompletionToolChoiceFunction", {"name": string})
)


def _tool_choice(value: Any, path: Path) -> None:
    """Validates a mode or a tool. deepseek-recipe reads the fields one by one."""
    if not is_object(value) or "type" not in value:
        if value not in ("none", "auto", "required"):
            message = "expected one of `none`, `auto`, `required` or a tool"
            raise MismatchError(message, path)
        return
    _CHOSEN_TYPE(value["type"], path)
    _CHOSEN_FUNCTION(value.get("function"), path)


_RESPONSE_FORMAT = tagged_union(
    "ChatCompletionResponseFormat",
    "type",
    {
        "json_object": anything,
        "json_schema": struct("JsonSchemaFormat", {"json_schema": anything}),
        "regex": struct("RegexFormat", {"regex": string}),
        "text": anything,
    },
)
_STREAM_OPTIONS = struct("ChatCompletionStreamOptions", {}, {"include_usage": boolean})
_STOP = string_or(sequence(string), "expected a string or a list")

CHAT_REQUEST: Validator = struct(
    "ChatCompletionRequest",
    {"messages": sequence(_MESSAGE), "model": string},
    {
        "thinking": _thinking,
        "reasoning_effort": one_of(
            "none", "minimal", "low", "medium", "high", "xhigh", "ultra", "max"
        ),
        "max_tokens": unsigned(32),
        "temperature": number,
        "top_p": number,
        "frequency_penalty": number,
        "presence_penalty": number,
        "n": unsigned(8),
        "stop": _STOP,
        "stream": boolean,
        "stream_options": _STREAM_OPTIONS,
        "response_format": _RESPONSE_FORMAT,
        "tools": sequence(_tool),
        "tool_choice": _tool_choice,
        "logprobs": boolean,
        "top_logprobs": unsigned(8),
        "seed": unsigned(64),
    },
)

FIM_REQUEST: Validator = struct(
    "CompletionRequest",
    {"model": string, "prompt": string},
    {
        "suffix": string,
        "echo": boolean,
        "logprobs": unsigned(8),
        "max_tokens": unsigned(32),
        "stop": _STOP,
        "stream": boolean,
        "stream_options": _STREAM_OPTIONS,
        "temperature": number,
        "top_p": number,
        "frequency_penalty": number,
        "presence_penalty": number,
    },
)
