"""Part of a stream, of either client."""

from __future__ import annotations

from typing import Any

import openai


async def take(stream: Any, count: int) -> list[Any]:
    if isinstance(stream, openai.Stream):
        return [next(stream) for _ in range(count)]
    return [await anext(stream) for _ in range(count)]


async def close(stream: Any) -> None:
    closed = stream.close()
    if closed is not None:
        await closed
