"""Ways in which an application leaves a stream; each returns the expected status."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import openai
from opentelemetry.trace import StatusCode


async def await_if_awaitable(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


async def iterate(stream: Any, count: int = 10**6) -> None:
    if isinstance(stream, openai.Stream):
        for _, __ in zip(range(count), stream, strict=False):
            pass
    else:
        chunk_count = 0
        async for _ in stream:
            chunk_count += 1
            if chunk_count == count:
                break


async def drop(stream: Any) -> None:
    # Closes the original stream, so that its connection is released. The wrapper is
    # not closed and is dropped by the caller.
    await await_if_awaitable(stream._original.close())


async def read_to_end(stream: Any) -> StatusCode:
    await iterate(stream)
    return StatusCode.UNSET


async def read_some_and_drop(stream: Any) -> StatusCode:
    await iterate(stream, 2)
    await drop(stream)
    return StatusCode.UNSET


async def close_twice(stream: Any) -> StatusCode:
    await iterate(stream, 2)
    await await_if_awaitable(stream.close())
    await await_if_awaitable(stream.close())
    return StatusCode.UNSET


async def exit_context_manager(stream: Any) -> StatusCode:
    if isinstance(stream, openai.Stream):
        with stream:
            next(stream)
    else:
        async with stream:
            await anext(stream)
    return StatusCode.UNSET


async def raise_in_loop(stream: Any) -> StatusCode:
    with suppress(KeyError):
        await _raise_in_loop(stream)
    return StatusCode.UNSET


async def _raise_in_loop(stream: Any) -> None:
    if isinstance(stream, openai.Stream):
        with stream:
            for _ in stream:
                raise KeyError
    else:
        async with stream:
            async for _ in stream:
                raise KeyError


async def drop_unread(stream: Any) -> StatusCode:
    await drop(stream)
    return StatusCode.ERROR


STREAM_EXITS = [
    read_to_end,
    read_some_and_drop,
    close_twice,
    exit_context_manager,
    raise_in_loop,
    drop_unread,
]
