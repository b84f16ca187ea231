"""The Responses API, as telemetry: what is asked, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ._coerce import count, fields, member, text, whole
from ._genai import Content, plain
from ._messages import (
    arguments,
    items,
    linked,
    readable,
    tool_definitions,
    unknown_part,
    without_none,
)
from ._text_buffer import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Json = dict[str, Any]

_DELTAS: Final[Mapping[str, str]] = {
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.output_text.delta": "message",
    "response.refusal.delta": "message",
    "response.function_call_arguments.delta": "function_call",
}


def responses_content(body: Mapping[str, Any]) -> Content:
    asked: object = body.get("input")
    if isinstance(asked, str):
        asked = [{"role": "user", "content": asked}]
    instructions = body.get("instructions")
    return Content(
        inputs=_messages(items(asked)),
        instructions=[{"type": "text", "content": instructions}]
        if isinstance(instructions, str)
        else (),
        tools=tool_definitions(body.get("tools")),
    )


@dataclass(slots=True)
class Item:
    """One item of an output while it grows."""

    said: Json
    text: Text = field(default_factory=Text)


@dataclass(slots=True)
class ResponsesAnswer:
    """Grows by `add`, until it is read. Times are `perf_counter`s.

    The whole answer comes again with the last event of a stream; the pieces count
    where that one is missing.
    """

    keeps_text: bool
    whole: str = field(default="output", init=False)
    parts: int = 0
    response: object = None
    model: str | None = None
    items: dict[int, Item] = field(default_factory=dict[int, Item])
    first_reasoning_at: float | None = None
    first_answer_at: float | None = None

    @property
    def finished(self) -> bool:
        return member(self.response, "status") not in (None, "in_progress", "queued")

    def add(self, part: object) -> None:
        """Add an event of a stream, or a whole response."""
        self.parts += 1
        # An older SDK does not know every event: it has its fields apart.
        said = fields(part)
        response = said.get("response") if "output" not in said else part
        if response is not None:
            self.response = response
            self.model = text(member(response, "model")) or self.model
            return
        kind = _DELTAS.get(said.get("type", ""))
        if kind == "reasoning":
            self.first_reasoning_at = self.first_reasoning_at or perf_counter()
        elif kind is not None:
            self.first_answer_at = self.first_answer_at or perf_counter()
        index = whole(said.get("output_index"))
        if not self.keeps_text or index is None:
            return
        if (item := said.get("item")) is not None:
            self.items[index] = Item(dict(fields(item)))
        elif kind is not None and isinstance(delta := said.get("delta"), str):
            self.items.setdefault(index, Item({"type": kind})).text.write(delta)

    def attributes(self, expected: int) -> Json:
        """What a span says of the answer; `expected` is one here."""
        usage = member(self.response, "usage")
        read = member(member(usage, "input_tokens_details"), "cached_tokens")
        thought = member(member(usage, "output_tokens_details"), "reasoning_tokens")
        return without_none(
            **{
                "gen_ai.response.finish_reasons": [self._finish_reason()] * expected,
                "gen_ai.response.id": text(member(self.response, "id")),
                "gen_ai.response.model": self.model,
                "gen_ai.usage.input_tokens": count(member(usage, "input_tokens")),
                "gen_ai.usage.output_tokens": count(member(usage, "output_tokens")),
                "gen_ai.usage.cache_read.input_tokens": count(read),
                "gen_ai.usage.reasoning.output_tokens": count(thought),
            }
        )

    def messages(self) -> list[Json]:
        output: Sequence[object] = items(member(self.response, "output"))
        if not output:
            output = [_grown(item) for _, item in sorted(self.items.items())]
        if not output:
            return []
        parts = [part for item in output for part in readable(_said, item)["parts"]]
        finish = self._finish_reason()
        return [
            {
                "role": "assistant",
                "parts": parts,
                "finish_reason": "tool_call" if finish == "tool_calls" else finish,
            }
        ]

    def _finish_reason(self) -> str:
        """In the words of Chat Completions: this API has a status only."""
        match member(self.response, "status"):
            case "completed":
                output = items(member(self.response, "output"))
                called = any(member(item, "type") == "function_call" for item in output)
                return "tool_calls" if called else "stop"
            case "incomplete":
                why = member(member(self.response, "incomplete_details"), "reason")
                return "length" if why == "max_output_tokens" else text(why) or "error"
            case _:
                return "error"


def _grown(item: Item) -> Json:
    if not (grown := item.text.getvalue()):
        return item.said
    if item.said.get("type") == "function_call":
        return item.said | {"arguments": grown}
    return item.said | {"content": [{"text": grown}]}


def _messages(asked: Sequence[object]) -> list[Json]:
    """Items in a row of one speaker are one message."""
    messages: list[Json] = []
    for item in asked:
        message = readable(_said, item)
        if messages and messages[-1]["role"] == message["role"] == "assistant":
            messages[-1]["parts"].extend(message["parts"])
        else:
            messages.append(message)
    return messages


def _said(item: object) -> Json:
    output = member(item, "type") == "function_call_output"
    role = text(member(item, "role")) or ("tool" if output else "assistant")
    return {"role": role, "parts": _parts(item)}


def _parts(item: object) -> list[Json]:
    read = _ITEMS.get(str(member(item, "type") or "message"))
    return [unknown_part(item)] if read is None else read(item)


def _message(item: object) -> list[Json]:
    content: object = member(item, "content")
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    return [_content(piece) for piece in items(content)]


def _reasoning(item: object) -> list[Json]:
    pieces = items(member(item, "content")) or items(member(item, "summary"))
    thought = "".join(text(member(piece, "text")) or "" for piece in pieces)
    return [{"type": "reasoning", "content": thought}] if thought else []


def _function_call(item: object) -> list[Json]:
    return [
        without_none(
            type="tool_call",
            id=text(member(item, "call_id")),
            name=text(member(item, "name")) or "",
            arguments=arguments(member(item, "arguments")),
        )
    ]


def _function_call_output(item: object) -> list[Json]:
    return [
        without_none(
            type="tool_call_response",
            id=text(member(item, "call_id")),
            response=plain(member(item, "output")) or "",
        )
    ]


def _web_search_call(item: object) -> list[Json]:
    action: Any = plain(member(item, "action")) or {}
    return [
        without_none(
            type="server_tool_call",
            id=text(member(item, "id")),
            name="web_search",
            server_tool_call={"type": "web_search", "action": without_none(**action)},
        )
    ]


_ITEMS: Final[Mapping[str, Callable[[object], list[Json]]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "function_call_output": _function_call_output,
    "web_search_call": _web_search_call,
}


def _content(piece: object) -> Json:
    words = member(piece, "text") or member(piece, "refusal")
    if isinstance(words, str):
        return {"type": "text", "content": words}
    image = linked(member(piece, "image_url"), "image")
    return image or unknown_part(piece)
