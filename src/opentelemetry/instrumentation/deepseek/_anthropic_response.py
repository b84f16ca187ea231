"""Collects an answer of Anthropic's API, whole or in events, as response attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ._anthropic_messages import answer_message
from ._coerce import as_count, as_int, as_text, field_of, fields_of, omit_none
from ._messages import parse_arguments
from ._text_buffer import TextBuffer

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

# The finish reasons of Chat Completions, so that one question finds the calls of every
# client. Other stop reasons are kept as they are.
_FINISH_REASONS: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
}
# Each row: the type of a delta, its field with text, and the field of the block.
_DELTA_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "input_json_delta": ("partial_json", "input"),
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
}
# The server's own tools, whose requests are billed.
_SERVER_TOOL_REQUESTS: Final = ("web_fetch_requests", "web_search_requests")


@dataclass(slots=True)
class ContentBlock:
    """A block of a streamed answer: its first fields, and the text of its deltas."""

    fields: Mapping[str, Any]
    name: str = ""  # the field that the deltas continue
    text: TextBuffer = field(default_factory=TextBuffer)

    def as_block(self) -> Mapping[str, Any]:
        """Returns the block in the form in which a whole answer has it."""
        if not (text := self.text.getvalue()):
            return self.fields
        value: Any = text
        if self.name == "input":
            value = parse_arguments(text)
        elif isinstance(start := self.fields.get(self.name), str):
            value = start + text
        return {**self.fields, self.name: value}


@dataclass(slots=True)
class MessagesAccumulator:
    """Collects the events of a stream, or a whole message.

    `wants_content` is False if no content is recorded; then no text is stored. Times
    are values of `perf_counter`. Any field may be missing or have a wrong type, because
    the SDK validates nothing that DeepSeek sends.
    """

    wants_content: bool
    # The field that a whole message has. A stream does not have it, nor has a raw
    # response, which has `content` in older versions of the SDK.
    response_field: str = field(default="stop_reason", init=False)
    chunk_count: int = 0
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    error: object = None
    usage: Json = field(default_factory=Json)
    content: object = None
    blocks: dict[int, ContentBlock] = field(default_factory=dict[int, ContentBlock])
    first_reasoning_time: float | None = None
    first_answer_time: float | None = None

    @property
    def is_finished(self) -> bool:
        return self.error is not None or self.stop_reason is not None

    def add(self, response: object) -> None:
        """Adds a whole message."""
        fields = fields_of(response)
        self.error = fields.get("error") or None
        self.id = as_text(fields.get("id"))
        self.model = as_text(fields.get("model"))
        self.stop_reason = as_text(fields.get("stop_reason"))
        self.content = fields.get("content")
        self._add_usage(fields.get("usage"))

    def add_chunk(self, event: object) -> None:
        """Adds an event of a stream."""
        self.chunk_count += 1
        fields = fields_of(event)
        match fields.get("type"):
            case "content_block_delta":
                self._add_delta(fields.get("index"), fields_of(fields.get("delta")))
            case "content_block_start":
                self._add_block(fields.get("index"), fields.get("content_block"))
            case "message_start":
                self.add(fields.get("message"))
                # It is 0 until the last event has the count.
                self.usage.pop("output_tokens", None)
            case "message_delta":
                stop_reason = as_text(field_of(fields.get("delta"), "stop_reason"))
                self.stop_reason = stop_reason or self.stop_reason
                self._add_usage(fields.get("usage"))
            case _:
                # An event with the error of a body: DeepSeek's has no type.
                self.error = fields.get("error") or self.error

    def _add_usage(self, usage: object) -> None:
        # The counts are totals. The last event may omit those of the first.
        self.usage |= omit_none(**fields_of(usage))

    def _add_block(self, index: object, block: object) -> None:
        fields = fields_of(block)
        if fields.get("type") == "tool_use" or fields.get("text"):
            self._on_answer()
        if self.wants_content and (position := as_int(index)) is not None:
            self.blocks[position] = ContentBlock(dict(fields))

    def _add_delta(self, index: object, delta: Mapping[str, Any]) -> None:
        delta_type = as_text(delta.get("type")) or ""
        text_field, block_field = _DELTA_FIELDS.get(delta_type, ("", ""))
        text: object = delta.get(text_field)
        if not (text and isinstance(text, str)):
            return
        if delta_type == "thinking_delta":
            self.first_reasoning_time = self.first_reasoning_time or perf_counter()
        elif delta_type == "text_delta":
            self._on_answer()
        if self.wants_content and (position := as_int(index)) is not None:
            if (block := self.blocks.get(position)) is None:
                block_type = delta_type.removesuffix("_delta")
                block = self.blocks[position] = ContentBlock({"type": block_type})
            block.name = block_field
            block.text.write(text)

    def _on_answer(self) -> None:
        self.first_answer_time = self.first_answer_time or perf_counter()

    def attributes(self, choice_count: int) -> Json:
        """Returns the response attributes of a span; `choice_count` is always 1."""
        usage = self.usage
        cache_read = as_count(usage.get("cache_read_input_tokens"))
        cache_write = as_count(usage.get("cache_creation_input_tokens"))
        input_tokens = as_count(usage.get("input_tokens"))
        if input_tokens is not None:
            # Unlike in the conventions, these leave out the cached ones.
            input_tokens += (cache_read or 0) + (cache_write or 0)
        details = fields_of(usage.get("output_tokens_details"))
        server_tools = fields_of(usage.get("server_tool_use"))
        return omit_none(
            **{
                "gen_ai.response.finish_reasons": [self._finish_reason()]
                * choice_count,
                "gen_ai.response.id": self.id or None,
                "gen_ai.response.model": self.model or None,
                "gen_ai.usage.input_tokens": input_tokens,
                "gen_ai.usage.output_tokens": as_count(usage.get("output_tokens")),
                "gen_ai.usage.cache_read.input_tokens": cache_read,
                # DeepSeek always sends 0, and bills none. A gateway may bill them.
                "gen_ai.usage.cache_write.input_tokens": cache_write or None,
                "gen_ai.usage.reasoning.output_tokens": as_count(
                    details.get("thinking_tokens")
                ),
                **{
                    f"deepseek.usage.{name}": as_count(server_tools.get(name))
                    for name in _SERVER_TOOL_REQUESTS
                },
            }
        )

    def messages(self) -> list[Json]:
        content = self.content or [
            block.as_block() for _, block in sorted(self.blocks.items())
        ]
        return [answer_message(content, self._finish_reason())] if content else []

    def _finish_reason(self) -> str:
        stop_reason = self.stop_reason or "error"
        return _FINISH_REASONS.get(stop_reason, stop_reason)
