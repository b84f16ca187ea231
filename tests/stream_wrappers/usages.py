"""The ways in which programs use a stream or a raw response.

Each function returns the text that it has read.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUEST: Final[dict[str, Any]] = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
}


class ApplicationError(Exception):
    """Raised by the application while it reads a stream."""


def _text(chunk: Any) -> str:
    return "".join(choice.delta.content or "" for choice in chunk.choices)


def _message(completion: Any) -> str:
    return str(completion.choices[0].message.content)


def _complete(client: Any) -> str:
    return _message(client.chat.completions.create(**REQUEST))


def _for(client: Any) -> str:
    stream = client.chat.completions.create(**REQUEST, stream=True)
    return "".join(_text(chunk) for chunk in stream)


def _with(client: Any) -> str:
    with client.chat.completions.create(**REQUEST, stream=True) as stream:
        return "".join(_text(chunk) for chunk in stream)


def _next_close(client: Any) -> str:
    stream = client.chat.completions.create(**REQUEST, stream=True)
    text = _text(next(stream))
    stream.close()
    return text


def _break(client: Any) -> str:
    text = ""
    for chunk in client.chat.completions.create(**REQUEST, stream=True):
        text += _text(chunk)
        if text:
            break
    return text


def _exception(client: Any) -> str:
    with (
        suppress(ApplicationError),
        client.chat.completions.create(**REQUEST, stream=True) as stream,
    ):
        for _ in stream:
            raise ApplicationError
    return ""


def _raw(client: Any) -> str:
    response = client.chat.completions.with_raw_response.create(**REQUEST)
    return _message(response.parse())


def _raw_stream(client: Any) -> str:
    response = client.chat.completions.with_raw_response.create(**REQUEST, stream=True)
    return "".join(_text(chunk) for chunk in response.parse())


def _streaming_response(client: Any) -> str:
    create = client.chat.completions.with_streaming_response.create
    with create(**REQUEST, stream=True) as response:
        return "".join(_text(chunk) for chunk in response.parse())


SYNC_USAGES: Final[dict[str, Callable[[Any], str]]] = {
    "complete": _complete,
    "for": _for,
    "with": _with,
    "next, close": _next_close,
    "break": _break,
    "exception": _exception,
    "raw response": _raw,
    "raw response of a stream": _raw_stream,
    "streaming response": _streaming_response,
}


async def _acomplete(client: Any) -> str:
    return _message(await client.chat.completions.create(**REQUEST))


async def _read(stream: Any) -> str:
    return "".join([_text(chunk) async for chunk in stream])


async def _afor(client: Any) -> str:
    return await _read(await client.chat.completions.create(**REQUEST, stream=True))


async def _awith(client: Any) -> str:
    async with await client.chat.completions.create(**REQUEST, stream=True) as stream:
        return await _read(stream)


async def _anext_close(client: Any) -> str:
    stream = await client.chat.completions.create(**REQUEST, stream=True)
    text = _text(await anext(stream))
    await stream.close()
    return text


async def _aiter_close(client: Any) -> str:
    stream = await client.chat.completions.create(**REQUEST, stream=True)
    text = _text(await anext(aiter(stream)))
    await stream.close()
    return text


async def _abreak(client: Any) -> str:
    text = ""
    stream = await client.chat.completions.create(**REQUEST, stream=True)
    async for chunk in stream:
        text += _text(chunk)
        if text:
            break
    await stream.close()
    return text


async def _aexception(client: Any) -> str:
    with suppress(ApplicationError):
        async with await client.chat.completions.create(
            **REQUEST, stream=True
        ) as stream:
            async for _ in stream:
                raise ApplicationError
    return ""


async def _araw(client: Any) -> str:
    response = await client.chat.completions.with_raw_response.create(**REQUEST)
    return _message(response.parse())


async def _araw_stream(client: Any) -> str:
    create = client.chat.completions.with_raw_response.create
    response = await create(**REQUEST, stream=True)
    return await _read(response.parse())


async def _astreaming_response(client: Any) -> str:
    create = client.chat.completions.with_streaming_response.create
    async with create(**REQUEST, stream=True) as response:
        return await _read(await response.parse())


ASYNC_USAGES: Final[dict[str, Callable[[Any], Awaitable[str]]]] = {
    "complete": _acomplete,
    "for": _afor,
    "with": _awith,
    "next, close": _anext_close,
    "aiter, close": _aiter_close,
    "break": _abreak,
    "exception": _aexception,
    "raw response": _araw,
    "raw response of a stream": _araw_stream,
    "streaming response": _astreaming_response,
}
