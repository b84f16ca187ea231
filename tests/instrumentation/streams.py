"""Reads and closes the streams of both clients."""

from __future__ import annotations

from typing import Any

import openai


async def read_chunks(stream: Any, count: int) -> list[Any]:
    if isinstance(stream, openai.Stream):
        return [next(stream) for _ in range(count)]
    return [await anext(stream) for _ in range(count)]


async def close_stream(stream: Any) -> None:
    closing = stream.close()
    if closing is not None:
        await closing
