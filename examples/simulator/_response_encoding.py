"""Encoding of chat responses as bytes, with DeepSeek's keys in DeepSeek's order."""

from __future__ import annotations

import json
import secrets
import string
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ._logprobs import logprob_entry
from ._models import SYSTEM_FINGERPRINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model_output import ModelOutput, OutputChunk

DATA_PREFIX = b"data: "
DONE_EVENT = DATA_PREFIX + b"[DONE]\n\n"


def encode_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def encode_event(value: Any) -> bytes:
    """Encodes `value` as the data of a server-sent event."""
    return DATA_PREFIX + encode_json(value) + b"\n\n"


def token_usage(
    output: ModelOutput, prompt_tokens: int, cache_hit_tokens: int, *, thinking: bool
) -> dict[str, Any]:
    """Returns the `usage` object.

    Prompt tokens are the sum of cache hits and misses. Completion tokens include the
    reasoning tokens.
    """
    completion_tokens = len(output.tokens)
    usage: dict[str, Any] = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": cache_hit_tokens},
    }
    if thinking:
        usage["completion_tokens_details"] = {
            "reasoning_tokens": output.reasoning_token_count
        }
    usage["prompt_cache_hit_tokens"] = cache_hit_tokens
    usage["prompt_cache_miss_tokens"] = prompt_tokens - cache_hit_tokens
    return usage


@dataclass
class ResponseEnvelope:
    """The fields that the completion and all chunks of one response share."""

    model: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: int = field(default_factory=lambda: int(time.time()))

    def completion(self, object_type: str, choice: Any, usage: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": object_type,
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage,
            "system_fingerprint": SYSTEM_FINGERPRINT,
        }

    def chunk(
        self, object_type: str, choice: Any, usage_field: dict[str, Any]
    ) -> dict[str, Any]:
        """`usage_field` is {} or {"usage": ...}: not every chunk has the key."""
        return {
            "id": self.id,
            "object": object_type,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": SYSTEM_FINGERPRINT,
            "choices": [choice],
            **usage_field,
        }


@dataclass
class ChatEncoder:
    """Encodes the output of a chat request as a whole body or as events."""

    envelope: ResponseEnvelope
    thinking: bool
    has_prefix: bool = False  # the caller provided the start: there is no reasoning
    include_usage: bool = False
    logprobs: bool = False
    top_logprobs: int = 0

    done_event: ClassVar[bytes] = DONE_EVENT
    error_prefix: ClassVar[bytes] = DATA_PREFIX

    def encode_body(self, output: ModelOutput, usage: dict[str, Any]) -> bytes:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": output.text("content"),
        }
        if reasoning := output.text("reasoning"):
            message["reasoning_content"] = reasoning
        if calls := [chunk for chunk in output.chunks if chunk.kind == "tool_call"]:
            message["tool_calls"] = [
                _tool_call(chunk, output.text("arguments", chunk.call_index))
                for chunk in calls
            ]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": self._all_logprobs(output),
            "finish_reason": output.finish_reason,
        }
        return encode_json(self.envelope.completion("chat.completion", choice, usage))

    def encode_events(
        self, output: ModelOutput, usage: dict[str, Any]
    ) -> Iterator[bytes]:
        """Yields all events except [DONE].

        The first event has the role, and the last one has finish reason and usage.
        """
        yield self._event({"role": "assistant"} | self._delta("", is_first=True))
        for chunk in output.chunks:
            if delta := self._chunk_delta(chunk):
                yield self._event(delta, self._logprobs(chunk))
        yield self._event(
            self._delta(""), finish_reason=output.finish_reason, usage=usage
        )

    def _chunk_delta(self, chunk: OutputChunk) -> dict[str, Any] | None:
        match chunk.kind:
            case "reasoning":
                return {"content": None, "reasoning_content": chunk.text}
            case "content":
                return self._delta(chunk.text)
            case "tool_call":
                return {"tool_calls": [_tool_call(chunk, "")]}
            case "arguments":
                function = {"arguments": chunk.text}
                call = {"index": chunk.call_index, "function": function}
                return {"tool_calls": [call]}
            case "hidden":
                return None

    def _delta(self, text: str, *, is_first: bool = False) -> dict[str, Any]:
        if not self.thinking:
            return {"content": text}
        if is_first and not self.has_prefix:
            return {"content": None, "reasoning_content": ""}
        return {"content": text, "reasoning_content": None}

    def _event(
        self,
        delta: dict[str, Any],
        logprobs: Any = None,
        finish_reason: str | None = None,
        usage: dict[str, Any] | None = None,
    ) -> bytes:
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }
        # The last chunk always has the usage. `include_usage` only adds
        # `"usage": null` to the other chunks.
        usage_field = {"usage": usage} if usage or self.include_usage else {}
        return encode_event(
            self.envelope.chunk("chat.completion.chunk", choice, usage_field)
        )

    def _logprobs(self, chunk: OutputChunk) -> dict[str, Any] | None:
        if not self.logprobs or chunk.kind not in ("reasoning", "content"):
            return None
        key = "content" if chunk.kind == "content" else "reasoning_content"
        return {key: [logprob_entry(chunk.text, self.top_logprobs)]}

    def _all_logprobs(self, output: ModelOutput) -> dict[str, Any] | None:
        logprobs: dict[str, Any] = {"content": [], "reasoning_content": []}
        for chunk in output.chunks:
            for key, entries in (self._logprobs(chunk) or {}).items():
                logprobs[key] += entries
        return {key: entries for key, entries in logprobs.items() if entries} or None


_ID_CHARACTERS = string.ascii_letters + string.digits


def tool_call_id(index: int) -> str:
    suffix = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(24))
    return f"call_{index:02}_{suffix}"


def _tool_call(chunk: OutputChunk, arguments: str) -> dict[str, Any]:
    return {
        "index": chunk.call_index,
        "id": tool_call_id(chunk.call_index),
        "type": "function",
        "function": {"name": chunk.text, "arguments": arguments},
    }
