"""What was said in one alternative of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._text_buffer import Text


@dataclass(slots=True)
class ToolCall:
    id: str | None = None
    name: str = ""
    arguments: Text = field(default_factory=Text)


@dataclass(slots=True)
class Choice:
    """One alternative. Its pieces go into buffers, which hold little but text."""

    finish_reason: str | None = None
    content: Text = field(default_factory=Text)
    reasoning: Text = field(default_factory=Text)
    tool_calls: dict[int, ToolCall] = field(default_factory=dict[int, ToolCall])
