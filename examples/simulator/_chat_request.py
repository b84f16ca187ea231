"""A chat request with its defaults resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ._json import fields, is_object, items
from ._models import FLASH, SERVED_BY

if TYPE_CHECKING:
    from collections.abc import Sequence

Message: TypeAlias = Mapping[str, Any]
_EFFORTS = {"minimal": "low", "medium": "high", "ultra": "max"}


@dataclass(frozen=True)
class ChatRequest:
    """What the model is asked, after every check has passed."""

    model: str  # the model that serves it
    messages: Sequence[Message]
    thinking: bool = True
    effort: str | None = None  # None unless thinking
    tools: Sequence[Mapping[str, Any]] = ()  # the `function` objects
    tool_choice: str = "auto"  # none, auto, required, or a function's name
    json_mode: bool = False
    stop: Sequence[str] = ()
    max_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    stream: bool = False
    include_usage: bool = False
    user_id: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> ChatRequest:
        thinking, effort = thinking_of(body)
        stop = body.get("stop")
        user_id = body.get("user_id")
        return cls(
            model=SERVED_BY.get(body["model"], FLASH),
            messages=body["messages"],
            thinking=thinking,
            effort=effort,
            tools=functions(body),
            tool_choice=_choice(body),
            json_mode=_type(body.get("response_format")) == "json_object",
            stop=[stop] if isinstance(stop, str) else items(stop),
            max_tokens=body.get("max_tokens"),
            logprobs=bool(body.get("logprobs")),
            top_logprobs=body.get("top_logprobs") or 0,
            stream=bool(body.get("stream")),
            include_usage=bool(fields(body.get("stream_options")).get("include_usage")),
            user_id=user_id if isinstance(user_id, str) else "",
        )

    @property
    def prefix(self) -> str | None:
        """The beginning of the answer that the caller wrote, if any."""
        last = self.messages[-1]
        if last["role"] == "assistant" and last.get("prefix"):
            return text_of(last)
        return None


def thinking_of(body: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Whether the model thinks, and with which effort.."""
    asked = _type(body.get("thinking"))
    effort = body.get("reasoning_effort")
    if asked == "disabled" or (asked is None and effort == "none"):
        return False, None
    if effort in (None, "none"):
        return True, "high"
    return True, _EFFORTS.get(effort, effort)


def functions(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The functions among the tools; server tools have none."""
    return [t["function"] for t in items(body.get("tools")) if t["type"] == "function"]


def text_of(message: Message) -> str:
    """The words of a message. Parts are joined; images have none."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in items(content))


def _choice(body: Mapping[str, Any]) -> str:
    choice = body.get("tool_choice")
    if is_object(choice):
        return str(choice["function"]["name"])
    return choice or "auto"


def _type(value: Mapping[str, Any] | None) -> str | None:
    return value["type"] if value else None
