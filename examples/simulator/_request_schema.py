"""The bodies of chat and FIM requests, as DeepSeek's parser sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._json import is_object
from ._validators import (
    MismatchError,
    anything,
    boolean,
    introduced,
    number,
    one_of,
    sequence,
    string,
    struct,
    tagged,
    text_or,
    unsigned,
)

if TYPE_CHECKING:
    from ._validators import (
        Check,
        Path,
    )

_DETAIL = one_of("low", "high", "original", "auto")
_FUNCTION = one_of("function")

_TEXT_PART = struct("TextPart", {"text": string})
_IMAGE = struct("ChatCompletionImageUrl", {"url": string}, {"detail": _DETAIL})
_PARTS = tagged(
    "ChatCompletionRequestContentBlock",
    "type",
    {
        "text": _TEXT_PART,
        "image_url": struct("ImagePart", {"image_url": _IMAGE}),
        "file": struct("FilePart", {"file": struct("File", {})}),
    },
)
_CONTENT = text_or(sequence(_PARTS), "content should be a string or a list")

_CALLED = struct(
    "ChatCompletionRequestFunctionCall", {"name": string, "arguments": string}
)
_CALL = struct(
    "ChatCompletionRequestToolCall",
    {"id": string, "type": _FUNCTION, "function": _CALLED},
)
_SAID = {"content": _CONTENT}
_MESSAGE = tagged(
    "ChatCompletionRequestMessage",
    "role",
    {
        "system": struct("SystemMessage", _SAID, {"name": string}),
        "user": struct("UserMessage", _SAID, {"name": string}),
        "assistant": struct(
            "AssistantMessage",
            {},
            {
                "content": _CONTENT,
                "reasoning_content": string,
                "tool_calls": sequence(_CALL),
                "prefix": boolean,
            },
        ),
        "tool": struct("ToolMessage", {**_SAID, "tool_call_id": string}),
        "latest_reminder": struct("LatestReminderMessage", _SAID),
    },
)

_DEFINITION = struct(
    "ChatCompletionFunctionDefinition",
    {"name": string},
    {"description": string, "strict": boolean},
)
_TOOL = struct(
    "ChatCompletionTool",
    {
        # The server tools of November 2026 are taken and never used: what a search
        # looks like in a chat completion is not documented.
        "type": one_of("function", "deepseek_web_search", "deepseek_read_url"),
    },
    {"function": _DEFINITION},
)


def _tool(value: Any, path: Path) -> None:
    _TOOL(value, path)
    if value["type"] == "function" and not value.get("function"):
        raise MismatchError("missing field `function`", path)


_THINKING = struct(
    "ThinkingOptions", {"type": one_of("adaptive", "enabled", "disabled")}
)


def _thinking(value: Any, path: Path) -> None:
    """`"thinking": true` is the one wrong type that was seen as a 422."""
    try:
        _THINKING(value, path)
    except MismatchError as mismatch:
        mismatch.of_options = not isinstance(value, dict)
        raise


_CHOSEN_TYPE = introduced("field `type`: ", _FUNCTION)
_CHOSEN = introduced(
    "field `function`: ", struct("ChatCompletionToolChoiceFunction", {"name": string})
)


def _tool_choice(value: Any, path: Path) -> None:
    """A mode or a tool: the library reads the fields of the tool one by one."""
    if not is_object(value) or "type" not in value:
        if value not in ("none", "auto", "required"):
            message = "expected one of `none`, `auto`, `required` or a tool"
            raise MismatchError(message, path)
        return
    _CHOSEN_TYPE(value["type"], path)
    _CHOSEN(value.get("function"), path)


_FORMAT = tagged(
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
_STOP = text_or(sequence(string), "expected a string or a list")

CHAT: Check = struct(
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
        "response_format": _FORMAT,
        "tools": sequence(_tool),
        "tool_choice": _tool_choice,
        "logprobs": boolean,
        "top_logprobs": unsigned(8),
        "seed": unsigned(64),
    },
)

FIM: Check = struct(
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
