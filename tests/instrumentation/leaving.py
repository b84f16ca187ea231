"""Ways of leaving a stream, each with the status of its span."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import openai
from opentelemetry.trace import StatusCode

OK, FAILED = StatusCode.UNSET, StatusCode.ERROR


async def maybe(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


async def chunks(stream: Any, count: int = 10**6) -> None:
    if isinstance(stream, openai.Stream):
        for _, __ in zip(range(count), stream, strict=False):
            pass
    else:
        taken = 0
        async for _ in stream:
            taken += 1
            if taken == count:
                break


async def drop(stream: Any) -> None:
    # So that the connection is given back in time; the stand-in is what is dropped.
    await maybe(stream._original.close())


async def read_out(stream: Any) -> StatusCode:
    await chunks(stream)
    return OK


async def break_off(stream: Any) -> StatusCode:
    await chunks(stream, 2)
    await drop(stream)
    return OK


async def close(stream: Any) -> StatusCode:
    await chunks(stream, 2)
    await maybe(stream.close())
    await maybe(stream.close())
    return OK


async def leave_with(stream: Any) -> StatusCode:
    if isinstance(stream, openai.Stream):
        with stream:
            next(stream)
    else:
        async with stream:
            await anext(stream)
    return OK


async def raise_in_loop(stream: Any) -> StatusCode:
    with suppress(KeyError):
        await _raise(stream)
    return OK


async def _raise(stream: Any) -> None:
    if isinstance(stream, openai.Stream):
        with stream:
            for _ in stream:
                raise KeyError
    else:
        async with stream:
            async for _ in stream:
                raise KeyError


async def never_read(stream: Any) -> StatusCode:
    await drop(stream)
    return FAILED


LEAVINGS = [read_out, break_off, close, leave_with, raise_in_loop, never_read]
