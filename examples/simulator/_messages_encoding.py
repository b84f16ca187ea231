"""Encoding of answers in Anthropic's format, with DeepSeek's keys in their order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ._response_encoding import encode_event, encode_json, tool_call_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._model_output import ModelOutput, OutputChunk
    from ._response_encoding import ResponseEnvelope

_STOP_REASONS = {
    "content_filter": "refusal",
    "length": "max_tokens",
    "stop": "end_turn",
    "tool_calls": "tool_use",
}
_BlockType = Literal["thinking", "text", "tool_use"]
_BLOCK_TYPES: dict[str, _BlockType] = {
    "arguments": "tool_use",
    "content": "text",
    "reasoning": "thinking",
    "tool_call": "tool_use",
}


def messages_usage(usage: dict[str, Any]) -> dict[str, Any]:
    """Returns the `usage` of a chat completion in Anthropic's format."""
    return {
        "input_tokens": usage["prompt_cache_miss_tokens"],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage["prompt_cache_hit_tokens"],
        "output_tokens": usage["completion_tokens"],
        "service_tier": "standard",
    }


def _event(event_type: str, **fields: Any) -> bytes:
    data = encode_event({"type": event_type, **fields})
    return f"event: {event_type}\n".encode() + data


@dataclass
class MessagesEncoder:
    """Encodes the output of a request as a whole body or as events."""

    envelope: ResponseEnvelope
    stop_sequences: Sequence[str] = ()

    done_event: ClassVar[bytes] = _event("message_stop")
    error_prefix: ClassVar[bytes] = b"event: error\ndata: "

    def encode_body(self, output: ModelOutput, usage: dict[str, Any]) -> bytes:
        content: list[dict[str, Any]] = []
        if reasoning := output.text("reasoning"):
            block = {"type": "thinking", "thinking": reasoning}
            content.append({**block, "signature": self.envelope.id})
        if text := output.text("content"):
            content.append({"type": "text", "text": text})
        for chunk in output.chunks:
            if chunk.kind == "tool_call":
                arguments = output.text("arguments", chunk.call_index)
                content.append(self._first_block(chunk, "tool_use", arguments))
        return encode_json(self._message(content, self._stop(output), usage))

    def encode_events(
        self, output: ModelOutput, usage: dict[str, Any]
    ) -> Iterator[bytes]:
        """Yields the start, one item for each visible chunk, and the end.

        An item has all events up to the delta of its chunk. The last has stop reason
        and usage.
        """
        yield _event(
            "message_start",
            message=self._message(
                [],
                {"stop_reason": None, "stop_sequence": None},
                {**usage, "output_tokens": 0},
            ),
        )
        index, block = -1, None
        for chunk in output.chunks:
            if chunk.kind == "hidden":
                continue
            events = b""
            block_type = _BLOCK_TYPES[chunk.kind]
            if chunk.kind == "tool_call" or block_type != block:
                events += self._end_of_block(index, block)
                index, block = index + 1, block_type
                start = self._first_block(chunk, block_type, "{}")
                events += _event(
                    "content_block_start", index=index, content_block=start
                )
                events += _event("ping") if index == 0 else b""
            if chunk.kind != "tool_call":
                events += _event(
                    "content_block_delta", index=index, delta=_delta(block_type, chunk)
                )
            yield events
        yield self._end_of_block(index, block) + _event(
            "message_delta", delta=self._stop(output), usage=usage
        )

    def _message(self, content: Any, stop: Any, usage: Any) -> dict[str, Any]:
        return {
            "id": self.envelope.id,
            "type": "message",
            "role": "assistant",
            "model": self.envelope.model,
            "content": content,
            **stop,
            "usage": usage,
        }

    def _stop(self, output: ModelOutput) -> dict[str, str | None]:
        reason = _STOP_REASONS.get(output.finish_reason, output.finish_reason)
        # The model generates the stop sequence last, and it is not sent.
        last = "".join(output.chunks[-1].tokens) if output.chunks else ""
        if reason == "end_turn" and last in self.stop_sequences:
            return {"stop_reason": "stop_sequence", "stop_sequence": last}
        return {"stop_reason": reason, "stop_sequence": None}

    def _end_of_block(self, index: int, block: _BlockType | None) -> bytes:
        if block is None:
            return b""
        signature = {"type": "signature_delta", "signature": self.envelope.id}
        events = b""
        if block == "thinking":
            events = _event("content_block_delta", index=index, delta=signature)
        return events + _event("content_block_stop", index=index)

    def _first_block(
        self, chunk: OutputChunk, block_type: _BlockType, arguments: str
    ) -> dict[str, Any]:
        match block_type:
            case "thinking":
                return {"type": "thinking", "thinking": "", "signature": ""}
            case "text":
                return {"type": "text", "text": ""}
            case "tool_use":
                return {
                    "type": "tool_use",
                    "id": tool_call_id(chunk.call_index),
                    "name": chunk.text,
                    "input": _object(arguments),
                }


def _delta(block_type: _BlockType, chunk: OutputChunk) -> dict[str, str]:
    match block_type:
        case "thinking":
            return {"type": "thinking_delta", "thinking": chunk.text}
        case "text":
            return {"type": "text_delta", "text": chunk.text}
        case "tool_use":
            return {"type": "input_json_delta", "partial_json": chunk.text}


def _object(arguments: str) -> Any:
    """Parses arguments; those that `max_tokens` has cut off are no JSON."""
    try:
        return json.loads(arguments)
    except ValueError:
        return {}
