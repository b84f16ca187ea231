"""An answer that its caller reads from the wire without the SDK's parser."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from ._suppress import quietly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ._invocation import Call

# Of an `httpx.Response`, public; every reading and every closing goes through them.
_COVERED: Final = ("iter_bytes", "aiter_bytes", "close", "aclose")


def parsed(body: bytes | bytearray) -> SimpleNamespace | None:
    """JSON with the attributes that the SDK's object would have; None if it is none."""
    with suppress(ValueError, RecursionError):  # parsing it will tell the caller
        found = json.loads(body, object_hook=lambda said: SimpleNamespace(**said))
        if isinstance(found, SimpleNamespace):
            return found
    return None


class ReadByHand:
    """Tells `call` of what is read from `http`, an `httpx.Response`; reads nothing.

    It covers methods on this one object, which holds it, and is held weakly: with
    a response that is dropped it goes, too.
    """

    def __init__(self, http: Any, call: Call) -> None:
        self._http = ref(http)
        self._kind: Any = type(http)
        self._call = call
        self._streams = "event-stream" in http.headers.get("content-type", "")
        self._heard = bytearray()
        self._pulling = False
        self._left = False
        for name in _COVERED:
            setattr(http, name, getattr(self, name))

    def leave_to_parser(self) -> None:
        """What the SDK makes of the bytes counts from now on."""
        http: Any = self._http()
        if not self._left and http is not None:
            self._left = True
            for name in _COVERED:
                delattr(http, name)

    def __del__(self) -> None:
        if not self._left:
            self._call.abandoned()

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        http: Any = self._http()
        pieces = self._kind.iter_bytes(http, chunk_size)
        while True:
            self._pulling = True
            try:
                piece = next(pieces)
            except StopIteration:
                self._complete()
                return
            except BaseException as error:
                self._call.fail(error)
                raise
            finally:
                self._pulling = False
            self._hear(piece)
            yield piece

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        http: Any = self._http()
        pieces = self._kind.aiter_bytes(http, chunk_size)
        while True:
            self._pulling = True
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                self._complete()
                return
            except BaseException as error:
                self._call.fail(error)
                raise
            finally:
                self._pulling = False
            self._hear(piece)
            yield piece

    def close(self) -> None:
        http: Any = self._http()
        try:
            self._kind.close(http)
        finally:
            self._closed()

    async def aclose(self) -> None:
        http: Any = self._http()
        try:
            await self._kind.aclose(http)
        finally:
            self._closed()

    def _closed(self) -> None:
        # A response that has been read to its end closes itself before it says so.
        if not self._pulling:
            self._call.end()

    def _hear(self, piece: bytes) -> None:
        with quietly("reading bytes"):
            self._heard += piece
            if self._streams:
                *lines, self._heard = self._heard.split(b"\n")
                for line in lines:
                    if line.startswith(b"data:") and (chunk := parsed(line[5:])):
                        self._call.arrived(chunk)

    def _complete(self) -> None:
        if self._streams:
            self._call.exhausted()
        else:
            self._call.read(self._heard)
