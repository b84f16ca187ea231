"""Collects a response of the Responses API, whole or in events, as attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ._coerce import (
    EMPTY,
    as_count,
    as_int,
    as_text,
    field_of,
    fields_of,
    items_of,
    omit_none,
)
from ._messages import convert_or_placeholder
from ._responses_messages import item_message
from ._text_buffer import TextBuffer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

# The type of a stream's event -> the type of the output item that its delta belongs to.
_DELTA_ITEM_TYPES: Final[Mapping[str, str]] = {
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.output_text.delta": "message",
    "response.refusal.delta": "message",
    "response.function_call_arguments.delta": "function_call",
}


@dataclass(slots=True)
class OutputItem:
    """An item of a streamed output: its first fields, and the text of its deltas."""

    fields: Json
    text: TextBuffer = field(default_factory=TextBuffer)


@dataclass(slots=True)
class ResponsesAccumulator:
    """Collects the events of a stream, or a whole response.

    The last event of a stream holds the whole response. The collected items are used
    only if that event never arrives. Times are values of `perf_counter`.
    """

    wants_content: bool
    # The field that a whole response has, and that a stream does not have.
    response_field: str = field(default="output", init=False)
    chunk_count: int = 0
    response: object = None
    error_event: object = None
    model: str | None = None
    items: dict[int, OutputItem] = field(default_factory=dict[int, OutputItem])
    first_reasoning_time: float | None = None
    first_answer_time: float | None = None

    @property
    def error(self) -> object:
        """What the API reports instead of an answer."""
        if self.error_event is not None:
            return self.error_event
        error: object = field_of(self.response, "error")
        has_failed = field_of(self.response, "status") == "failed"
        return error or (EMPTY if has_failed else None)

    @property
    def is_finished(self) -> bool:
        status = field_of(self.response, "status")
        return self.error is not None or status not in (None, "in_progress", "queued")

    def add(self, response: object) -> None:
        """Adds a whole response."""
        self.response = response
        self.model = as_text(field_of(response, "model")) or self.model

    def add_chunk(self, event: object) -> None:
        """Adds an event of a stream."""
        self.chunk_count += 1
        # An older SDK does not know every type of event. It keeps the fields of an
        # unknown one as undeclared fields.
        fields = fields_of(event)
        if (response := fields.get("response")) is not None:
            self.add(response)
            return
        event_type = fields.get("type", "")
        if event_type == "error":
            self.error_event = fields
            return
        item_type = _DELTA_ITEM_TYPES.get(event_type)
        if item_type == "reasoning":
            self.first_reasoning_time = self.first_reasoning_time or perf_counter()
        elif item_type is not None:
            self.first_answer_time = self.first_answer_time or perf_counter()
        index = as_int(fields.get("output_index"))
        if not self.wants_content or index is None:
            return
        if (item := fields.get("item")) is not None:
            self.items[index] = OutputItem(dict(fields_of(item)))
        elif item_type is not None and isinstance(delta := fields.get("delta"), str):
            item = self.items.setdefault(index, OutputItem({"type": item_type}))
            item.text.write(delta)

    def attributes(self, choice_count: int) -> Json:
        """Returns the response attributes of a span; `choice_count` is always 1."""
        usage = field_of(self.response, "usage")
        cached = field_of(field_of(usage, "input_tokens_details"), "cached_tokens")
        reasoning = field_of(
            field_of(usage, "output_tokens_details"), "reasoning_tokens"
        )
        return omit_none(
            **{
                "gen_ai.response.finish_reasons": [self._finish_reason()]
                * choice_count,
                "gen_ai.response.id": as_text(field_of(self.response, "id")),
                "gen_ai.response.model": self.model,
                "gen_ai.usage.input_tokens": as_count(field_of(usage, "input_tokens")),
                "gen_ai.usage.output_tokens": as_count(
                    field_of(usage, "output_tokens")
                ),
                "gen_ai.usage.cache_read.input_tokens": as_count(cached),
                "gen_ai.usage.reasoning.output_tokens": as_count(reasoning),
            }
        )

    def messages(self) -> list[Json]:
        output: Sequence[object] = items_of(field_of(self.response, "output"))
        if not output:
            output = [_item_fields(item) for _, item in sorted(self.items.items())]
        if not output:
            return []
        parts = [
            part
            for item in output
            for part in convert_or_placeholder(item_message, item)["parts"]
        ]
        finish_reason = self._finish_reason()
        return [
            {
                "role": "assistant",
                "parts": parts,
                "finish_reason": "tool_call"
                if finish_reason == "tool_calls"
                else finish_reason,
            }
        ]

    def _finish_reason(self) -> str:
        """Returns a finish reason of Chat Completions; this API has only a status."""
        match field_of(self.response, "status"):
            case "completed":
                output = items_of(field_of(self.response, "output"))
                has_calls = any(
                    field_of(item, "type") == "function_call" for item in output
                )
                return "tool_calls" if has_calls else "stop"
            case "incomplete":
                details = field_of(self.response, "incomplete_details")
                reason = field_of(details, "reason")
                if reason == "max_output_tokens":
                    return "length"
                return as_text(reason) or "error"
            case _:
                return "error"


def _item_fields(item: OutputItem) -> Json:
    """Returns the fields of a streamed item, as in a whole response."""
    if not (text := item.text.getvalue()):
        return item.fields
    if item.fields.get("type") == "function_call":
        return item.fields | {"arguments": text}
    return item.fields | {"content": [{"type": "output_text", "text": text}]}
