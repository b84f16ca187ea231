"""Model calls: what went over the wire, beside their spans and what the page shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Span, Trace

    from examples.simulator import Exchange

    from ._page import Shown
    from ._running import Ran


@dataclass(frozen=True)
class Call:
    exchange: Exchange
    span: Span
    shown: Shown

    @property
    def question(self) -> str:
        asked = self.exchange.request_json
        if "prompt" in asked:
            return str(asked["prompt"])
        return next(
            m["content"] for m in reversed(asked["messages"]) if m["role"] == "user"
        )

    @property
    def answer(self) -> Answer:
        return Answer.read(self.exchange)


@dataclass(frozen=True)
class Answer:
    """As DeepSeek sent it, whole or in chunks; a tool is a name and its arguments."""

    text: str
    reasoning: str
    tools: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, exchange: Exchange) -> Answer:
        if exchange.status != 200:
            return cls("", "", ())
        body = exchange.response_body.decode()
        lines = [line[6:] for line in body.splitlines() if line.startswith("data: {")]
        said: dict[str, str] = {}
        tools: dict[int, list[str]] = {}
        for sent in map(json.loads, lines or [body]):
            for choice in sent["choices"]:
                piece = choice.get("delta") or choice.get("message") or choice
                for key in ("content", "text", "reasoning_content"):
                    said[key] = said.get(key, "") + (piece.get(key) or "")
                for call in piece.get("tool_calls") or ():
                    tool = tools.setdefault(call["index"], ["", ""])
                    tool[0] += call["function"].get("name") or ""
                    tool[1] += call["function"].get("arguments") or ""
        return cls(
            said.get("content") or said.get("text", ""),
            said.get("reasoning_content", ""),
            tuple((name, arguments) for name, arguments in tools.values()),
        )


@dataclass(frozen=True)
class Seen:
    ran: Ran
    calls: list[Call]
    found_by_type: int  # traces that a search for the calls' type finds

    @property
    def traces(self) -> list[Trace]:
        return self.ran.traces

    def calls_of(self, trace: Trace) -> list[Call]:
        return [c for c in self.calls if c.span.trace_id == trace.info.trace_id]


def model_calls(traces: list[Trace]) -> list[Span]:
    """In the order they began."""
    spans = [
        span
        for trace in traces
        for span in trace.data.spans
        if span.span_type in {"CHAT_MODEL", "LLM"}
    ]
    return sorted(spans, key=lambda span: span.start_time_ns)


def plain(text: str) -> str:
    """Without what Markdown makes of it: emphasis, line breaks, numbers of lines."""
    return re.sub(r"(?m)^\d+|[\s*\\\"]+", "", text)


def everything(span: Span) -> str:
    attributes: dict[str, Any] = span.attributes
    events = [event.attributes for event in span.events]
    return json.dumps([attributes, events], ensure_ascii=False, default=str)
