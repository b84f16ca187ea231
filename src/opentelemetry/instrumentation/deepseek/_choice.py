"""One choice of a completion, collected from its chunks."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._text_buffer import TextBuffer


@dataclass(slots=True)
class ToolCall:
    id: str | None = None
    name: str = ""
    arguments: TextBuffer = field(default_factory=TextBuffer)


@dataclass(slots=True)
class Choice:
    finish_reason: str | None = None
    content: TextBuffer = field(default_factory=TextBuffer)
    reasoning: TextBuffer = field(default_factory=TextBuffer)
    tool_calls: dict[int, ToolCall] = field(default_factory=dict[int, ToolCall])
