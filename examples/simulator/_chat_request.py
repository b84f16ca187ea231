"""A validated chat request with its defaults resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ._json import array_items, is_object, object_fields
from ._models import FLASH, SERVING_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

Message: TypeAlias = Mapping[str, Any]
_EFFORT_ALIASES = {"minimal": "low", "medium": "high", "ultra": "max"}


@dataclass(frozen=True)
class ChatRequest:
    """The parameters of a chat request that passed validation."""

    model: str  # the model that serves the request
    messages: Sequence[Message]
    thinking: bool = True
    effort: str | None = None  # None without thinking
    tools: Sequence[Mapping[str, Any]] = ()  # the `function` objects
    tool_choice: str = "auto"  # none, auto, required, or the name of a function
    json_mode: bool = False
    stop: Sequence[str] = ()
    max_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    stream: bool = False
    include_usage: bool = False
    user_id: str = ""

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ChatRequest:
        thinking, effort = thinking_and_effort(body)
        stop = body.get("stop")
        stream_options = object_fields(body.get("stream_options"))
        user_id = body.get("user_id")
        return cls(
            model=SERVING_MODELS.get(body["model"], FLASH),
            messages=body["messages"],
            thinking=thinking,
            effort=effort,
            tools=functions(body),
            tool_choice=_tool_choice(body),
            json_mode=_type(body.get("response_format")) == "json_object",
            stop=[stop] if isinstance(stop, str) else array_items(stop),
            max_tokens=body.get("max_tokens"),
            logprobs=bool(body.get("logprobs")),
            top_logprobs=body.get("top_logprobs") or 0,
            stream=bool(body.get("stream")),
            include_usage=bool(stream_options.get("include_usage")),
            user_id=user_id if isinstance(user_id, str) else "",
        )

    @property
    def prefix(self) -> str | None:
        """The start of the answer, if the caller provided it (prefix completion)."""
        last = self.messages[-1]
        if last["role"] == "assistant" and last.get("prefix"):
            return message_text(last)
        return None


def thinking_and_effort(body: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Returns whether the model thinks, and with which reasoning effort."""
    thinking = _type(body.get("thinking"))
    effort = body.get("reasoning_effort")
    if thinking == "disabled" or (thinking is None and effort == "none"):
        return False, None
    if effort in (None, "none"):
        return True, "high"
    return True, _EFFORT_ALIASES.get(effort, effort)


def functions(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns the `function` objects of the tools; server tools have none."""
    return [
        tool["function"]
        for tool in array_items(body.get("tools"))
        if tool["type"] == "function"
    ]


def message_text(message: Message) -> str:
    """Returns the text of a message: its text parts joined by newlines."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in array_items(content))


def _tool_choice(body: Mapping[str, Any]) -> str:
    tool_choice = body.get("tool_choice")
    if is_object(tool_choice):
        return str(tool_choice["function"]["name"])
    return tool_choice or "auto"


def _type(value: Mapping[str, Any] | None) -> str | None:
    return value["type"] if value else None
