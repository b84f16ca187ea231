"""One choice of a completion, whole or collected from the chunks of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ._coerce import as_int, as_text, field_of, items_of
from ._text_buffer import TextBuffer
from ._think_tags import ThinkTagSplitter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]


@dataclass(slots=True)
class ToolCall:
    """A call of a tool; `arguments_object` is set if a gateway sends no JSON text."""

    index: int = 0
    id: str = ""
    name: str = ""
    arguments: TextBuffer = field(default_factory=TextBuffer)
    arguments_object: object = None

    def add_function(self, function: object) -> None:
        self.name = as_text(field_of(function, "name")) or self.name
        arguments: object = field_of(function, "arguments")
        if isinstance(arguments, str):
            self.arguments.write(arguments)
        elif arguments is not None:
            self.arguments_object = arguments

    def function(self) -> Json:
        arguments = self.arguments_object
        if arguments is None:
            arguments = self.arguments.getvalue()
        return {"name": self.name, "arguments": arguments}


class WholeChoice(NamedTuple):
    """A choice whose message arrived whole."""

    finish_reason: str | None
    message: object
    content_parts: Sequence[object] = ()

    def as_message(self) -> object:
        return self.message


@dataclass(slots=True)
class Choice:
    """Collects the deltas of a message."""

    finish_reason: str | None = None
    content: TextBuffer = field(default_factory=TextBuffer)
    content_parts: list[object] = field(default_factory=list[object])
    reasoning: TextBuffer = field(default_factory=TextBuffer)
    refusal: TextBuffer = field(default_factory=TextBuffer)
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    function_call: ToolCall | None = None
    think_tags: ThinkTagSplitter = field(default_factory=ThinkTagSplitter)

    def add_delta(self, fields: Mapping[str, Any], reasoning: object) -> None:
        """Adds the fields of a delta; `reasoning` may have one of several names."""
        if reasoning and isinstance(reasoning, str):
            self.reasoning.write(reasoning)
        if content := fields.get("content"):
            if isinstance(content, str) and not self.content_parts:
                self.content.write(content)
            else:
                self._add_content_parts(content)
        if isinstance(refusal := fields.get("refusal"), str):
            self.refusal.write(refusal)
        if tool_calls := fields.get("tool_calls"):
            for position, delta in enumerate(items_of(tool_calls)):
                self._add_tool_call(position, delta)
        if (function_call := fields.get("function_call")) is not None:
            self.function_call = self.function_call or ToolCall()
            self.function_call.add_function(function_call)

    def _add_content_parts(self, content: object) -> None:
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        self.content_parts.extend(items_of(content))

    def _add_tool_call(self, position: int, delta: object) -> None:
        index = as_int(field_of(delta, "index"))
        if index is None:
            index = position
        call_id = as_text(field_of(delta, "id")) or ""
        tool_call = self._find_tool_call(index, call_id)
        if tool_call is None:
            tool_call = ToolCall(index)
            self.tool_calls.append(tool_call)
        tool_call.id = call_id or tool_call.id
        tool_call.add_function(field_of(delta, "function"))

    def _find_tool_call(self, index: int, call_id: str) -> ToolCall | None:
        """Returns the call that a delta continues, or None if it begins a call.

        A new id begins a call: some gateways send parallel calls with the same index,
        or without an index.
        """
        for tool_call in reversed(self.tool_calls):
            if tool_call.index == index and (
                not call_id or not tool_call.id or tool_call.id == call_id
            ):
                return tool_call
        return None

    def as_message(self) -> Json:
        """Returns the message in the form in which DeepSeek sends a whole one."""
        text = self.content.getvalue()
        text_parts = [{"type": "text", "text": text}] if text else []
        return {
            "role": "assistant",
            "content": [*text_parts, *self.content_parts]
            if self.content_parts
            else text,
            "reasoning_content": self.reasoning.getvalue(),
            "refusal": self.refusal.getvalue(),
            "tool_calls": [
                {"id": call.id or None, "function": call.function()}
                for call in sorted(self.tool_calls, key=lambda call: call.index)
            ],
            "function_call": self.function_call and self.function_call.function(),
        }
