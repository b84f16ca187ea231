"""What the program sees of a call: when, and of which types the results are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openai.types.chat import ChatCompletionChunk

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable


class Observation:
    def __init__(self) -> None:
        self.first_chunk_ns = self.last_chunk_ns = 0
        self.results: dict[str, Any] = {}

    def read(self, chunks: Iterable[Any], count: int | None = None) -> None:
        number = 0
        for number, chunk in enumerate(chunks, 1):
            self._check_chunk(chunk)
            if number == count:
                break
        self.results["chunks"] = number

    async def read_async(self, chunks: AsyncIterable[Any]) -> None:
        number = 0
        async for chunk in chunks:
            number += 1
            self._check_chunk(chunk)
        self.results["chunks"] = number

    def _check_chunk(self, chunk: Any) -> None:
        self.last_chunk_ns = time.time_ns()
        self.first_chunk_ns = self.first_chunk_ns or self.last_chunk_ns
        name = "isinstance(chunk, ChatCompletionChunk)"
        is_chunk = isinstance(chunk, ChatCompletionChunk)
        self.results[name] = self.results.get(name, True) and is_chunk
        for choice in chunk.choices:
            self.results["text"] = self.results.get("text", "") + (
                choice.delta.content or ""
            )

    def check(self, name: str, value: Any, expected_type: type) -> None:
        expected = expected_type.__name__
        self.results[f"isinstance({name}, {expected})"] = isinstance(
            value, expected_type
        )
