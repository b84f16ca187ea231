"""Answers as bytes: DeepSeek's keys, in DeepSeek's order."""

from __future__ import annotations

import json
import secrets
import string
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._logprobs import logprob
from ._models import FINGERPRINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model_output import Piece, Writing

DONE = b"data: [DONE]\n\n"


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def event(value: Any) -> bytes:
    return b"data: " + dumped(value) + b"\n\n"


def usage_of(
    writing: Writing, prompt: int, hit: int, *, thinking: bool
) -> dict[str, Any]:
    """Token counts. prompt = hit + miss; reasoning is part of the completion."""
    completion = len(writing.tokens)
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": hit},
    }
    if thinking:
        usage["completion_tokens_details"] = {
            "reasoning_tokens": writing.reasoning_tokens
        }
    usage["prompt_cache_hit_tokens"] = hit
    usage["prompt_cache_miss_tokens"] = prompt - hit
    return usage


@dataclass
class Envelope:
    """What surrounds every answer of one request."""

    model: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: int = field(default_factory=lambda: int(time.time()))

    def body(self, kind: str, choice: Any, usage: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage,
            "system_fingerprint": FINGERPRINT,
        }

    def chunk(self, kind: str, choice: Any, usage: dict[str, Any]) -> dict[str, Any]:
        """`usage` is {} or {"usage": ...}: the key is not always there."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": [choice],
            **usage,
        }


@dataclass
class ChatWire:
    """One chat answer, whole or in chunks."""

    envelope: Envelope
    thinking: bool
    prefixed: bool = False  # the caller wrote the beginning: no reasoning comes
    include_usage: bool = False
    logprobs: bool = False
    top_logprobs: int = 0

    def body(self, writing: Writing, usage: dict[str, Any]) -> bytes:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": writing.text("content"),
        }
        if reasoning := writing.text("reasoning"):
            message["reasoning_content"] = reasoning
        if calls := [p for p in writing.pieces if p.kind == "call"]:
            message["tool_calls"] = [
                _call(p, writing.text("arguments", p.call)) for p in calls
            ]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": self._all_logprobs(writing),
            "finish_reason": writing.finish,
        }
        return dumped(self.envelope.body("chat.completion", choice, usage))

    def events(self, writing: Writing, usage: dict[str, Any]) -> Iterator[bytes]:
        """All events but [DONE]: the role first, the usage on the last."""
        yield self._event({"role": "assistant"} | self._delta("", first=True))
        for piece in writing.pieces:
            if delta := self._of(piece):
                yield self._event(delta, self._logprobs(piece))
        yield self._event(self._delta(""), finish=writing.finish, usage=usage)

    def _of(self, piece: Piece) -> dict[str, Any] | None:
        match piece.kind:
            case "reasoning":
                return {"content": None, "reasoning_content": piece.text}
            case "content":
                return self._delta(piece.text)
            case "call":
                return {"tool_calls": [_call(piece, "")]}
            case "arguments":
                function = {"arguments": piece.text}
                return {"tool_calls": [{"index": piece.call, "function": function}]}
            case "unseen":
                return None

    def _delta(self, text: str, *, first: bool = False) -> dict[str, Any]:
        if not self.thinking:
            return {"content": text}
        if first and not self.prefixed:
            return {"content": None, "reasoning_content": ""}
        return {"content": text, "reasoning_content": None}

    def _event(
        self,
        delta: dict[str, Any],
        logprobs: Any = None,
        finish: str | None = None,
        usage: dict[str, Any] | None = None,
    ) -> bytes:
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish,
        }
        # `include_usage` only adds nulls: the last chunk has the usage either way.
        shown = {"usage": usage} if usage or self.include_usage else {}
        return event(self.envelope.chunk("chat.completion.chunk", choice, shown))

    def _logprobs(self, piece: Piece) -> dict[str, Any] | None:
        if not self.logprobs or piece.kind not in ("reasoning", "content"):
            return None
        name = "content" if piece.kind == "content" else "reasoning_content"
        return {name: [logprob(piece.text, self.top_logprobs)]}

    def _all_logprobs(self, writing: Writing) -> dict[str, Any] | None:
        lists: dict[str, Any] = {"content": [], "reasoning_content": []}
        for piece in writing.pieces:
            for name, entries in (self._logprobs(piece) or {}).items():
                lists[name] += entries
        return {name: entries for name, entries in lists.items() if entries} or None


_ID_LETTERS = string.ascii_letters + string.digits


def _call(piece: Piece, arguments: str) -> dict[str, Any]:
    suffix = "".join(secrets.choice(_ID_LETTERS) for _ in range(24))
    return {
        "index": piece.call,
        "id": f"call_{piece.call:02}_{suffix}",
        "type": "function",
        "function": {"name": piece.text, "arguments": arguments},
    }
