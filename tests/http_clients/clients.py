"""HTTP clients, and the ways in which programs read a response of each."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import httpx
import httpx2
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HTTPX_READS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "read": lambda response: response.read(),
    "bytes": lambda response: b"".join(response.iter_bytes()),
    "small pieces": lambda response: b"".join(response.iter_bytes(7)),
    "raw": lambda response: b"".join(response.iter_raw()),
    "lines": lambda response: list(response.iter_lines()),
    "text": lambda response: "".join(response.iter_text()),
}


async def _join(pieces: Any) -> Any:
    return [piece async for piece in pieces]


async def _join_chunks(pieces: Any) -> list[bytes]:
    return [piece async for piece, _ in pieces]


HTTPX_ASYNC_READS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "read": lambda response: response.aread(),
    "bytes": lambda response: _join(response.aiter_bytes()),
    "small pieces": lambda response: _join(response.aiter_bytes(7)),
    "raw": lambda response: _join(response.aiter_raw()),
    "lines": lambda response: _join(response.aiter_lines()),
    "text": lambda response: _join(response.aiter_text()),
}
REQUESTS_READS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "read": lambda response: response.content,
    "bytes": lambda response: b"".join(response.iter_content(None)),
    "small pieces": lambda response: b"".join(response.iter_content()),
    "lines": lambda response: list(response.iter_lines()),
    "text lines": lambda response: list(response.iter_lines(decode_unicode=True)),
    "iteration": list,
}
AIOHTTP_READS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "read": lambda response: response.read(),
    "text": lambda response: response.text(),
    "lines": lambda response: _join(response.content),
    "bytes": lambda response: _join(response.content.iter_any()),
    "small pieces": lambda response: _join(response.content.iter_chunked(7)),
    "chunks": lambda response: _join_chunks(response.content.iter_chunks()),
    "content": lambda response: response.content.read(),
}


async def _readline_loop(response: Any) -> list[bytes]:
    lines: list[bytes] = []
    while line := await response.content.readline():
        lines.append(line)
    return lines


async def _readuntil_loop(response: Any) -> list[bytes]:
    events: list[bytes] = []
    while event := await response.content.readuntil(b"}"):
        events.append(event)
    return events


async def _read_nowait_loop(response: Any) -> list[bytes]:
    pieces: list[bytes] = []
    while not response.content.at_eof():
        await asyncio.sleep(0.001)
        pieces.append(response.content.read_nowait())
    return pieces


AIOHTTP_READS |= {  # type: ignore[misc]
    "readline": _readline_loop,
    "readuntil": _readuntil_loop,
    "read_nowait": _read_nowait_loop,
}

Read = "Callable[[Any], Any] | str | None"


class HttpxClient:
    """`httpx` and `httpx2`: with a synchronous client."""

    reads = HTTPX_READS

    def __init__(self, module: Any) -> None:
        self.module = module
        self.errors: type[Exception] = module.HTTPError

    def post(self, url: str, body: Any, read: Any = None, **options: Any) -> Any:
        """Returns what an application sees of a response."""
        options.setdefault("json", body)
        client_options = {"verify": False, **options.pop("client", {})}
        with self.module.Client(**client_options) as client:
            if read is None:
                response = client.post(url, **options)
                return response.status_code, response.json()
            with client.stream("POST", url, **options) as response:
                return response.status_code, self.reads.get(read, read)(response)


class AsyncHttpxClient(HttpxClient):
    """`httpx` and `httpx2`: with an asynchronous client."""

    reads = HTTPX_ASYNC_READS

    async def post(self, url: str, body: Any, read: Any = None, **options: Any) -> Any:
        options.setdefault("json", body)
        client_options = {"verify": False, **options.pop("client", {})}
        async with self.module.AsyncClient(**client_options) as client:
            if read is None:
                response = await client.post(url, **options)
                return response.status_code, response.json()
            async with client.stream("POST", url, **options) as response:
                return response.status_code, await self.reads.get(read, read)(response)


class RequestsClient:
    """`requests`."""

    reads = REQUESTS_READS
    errors: type[Exception] = requests.RequestException

    def post(self, url: str, body: Any, read: Any = None, **options: Any) -> Any:
        options.setdefault("json", body)
        with requests.Session() as session:
            for name, value in options.pop("client", {}).items():
                setattr(session, name, value)
            if read is None:
                response = session.post(url, **options)
                return response.status_code, response.json()
            with session.post(url, stream=True, **options) as response:
                return response.status_code, self.reads.get(read, read)(response)


class AiohttpClient:
    """`aiohttp`."""

    reads = AIOHTTP_READS
    errors: type[Exception] = aiohttp.ClientError

    async def post(self, url: str, body: Any, read: Any = None, **options: Any) -> Any:
        options.setdefault("json", body)
        client_options = options.pop("client", {})
        async with (
            aiohttp.ClientSession(**client_options) as session,
            session.post(url, **options) as response,
        ):
            if read is None:
                return response.status, await response.json()
            return response.status, await self.reads.get(read, read)(response)


CLIENTS: Final[Mapping[str, Any]] = {
    "httpx": HttpxClient(httpx),
    "httpx-async": AsyncHttpxClient(httpx),
    "httpx2": HttpxClient(httpx2),
    "httpx2-async": AsyncHttpxClient(httpx2),
    "requests": RequestsClient(),
    "aiohttp": AiohttpClient(),
}
READS: Final = [
    (name, read) for name, client in CLIENTS.items() for read in client.reads
]


def body_of(arguments: Mapping[str, Any]) -> bytes:
    return json.dumps(arguments).encode()
