"""The methods of an `aiohttp.ClientResponse` and its content that read and close."""

from __future__ import annotations

from asyncio import CancelledError, IncompleteReadError
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import ref

from ._proxy import TransparentProxy
from ._response_recorder import (
    RecordedResponse,
    ResponseRecorder,
    original_class,
    recorder_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ._observer import InvocationObserver

_Value = TypeVar("_Value")


class RecordedAiohttpResponse(RecordedResponse):
    """Reports the end of an `aiohttp.ClientResponse` that the application closes."""

    def close(self) -> None:
        try:
            original_class(self).close(self)
        finally:
            if (recorder := recorder_of(self)) is not None:
                recorder.on_close(self)

    def release(self) -> Any:
        try:
            return original_class(self).release(self)
        finally:
            if (recorder := recorder_of(self)) is not None:
                recorder.on_close(self)


class RecordedContent(TransparentProxy):
    """Reports the bytes that an application reads of an `aiohttp.StreamReader`.

    It is a proxy, because the reader has `__slots__` and cannot hold a recorder.
    """

    __slots__ = ("_on_piece", "_recorder", "_response")

    _on_piece: Callable[[bytes], None]
    _recorder: ResponseRecorder
    _response: Any

    def __init__(
        self, response: Any, observer: InvocationObserver, *, is_decoded: bool
    ) -> None:
        super().__init__(response.content, observer)
        recorder = ResponseRecorder(response, RecordedAiohttpResponse, observer)
        body = recorder.body
        on_piece = body.on_bytes if is_decoded else body.on_encoded_bytes
        object.__setattr__(self, "_on_piece", on_piece)
        object.__setattr__(self, "_recorder", recorder)
        # The end of the body frees the response if the application has only this.
        object.__setattr__(self, "_response", ref(response))

    async def read(self, n: int = -1) -> bytes:
        return self._report(await self._read(self._original.read(n)))

    async def readany(self) -> bytes:
        return self._report(await self._read(self._original.readany()))

    async def readexactly(self, n: int) -> bytes:
        try:
            return self._report(await self._read(self._original.readexactly(n)))
        except IncompleteReadError as error:  # the body has ended
            self._report(error.partial)
            raise

    async def readline(self, **options: Any) -> bytes:
        return self._report(await self._read(self._original.readline(**options)))

    async def readuntil(self, separator: bytes = b"\n", **options: Any) -> bytes:
        reading = self._original.readuntil(separator, **options)
        return self._report(await self._read(reading))

    async def readchunk(self) -> tuple[bytes, bool]:
        piece, is_end_of_chunk = await self._read(self._original.readchunk())
        return self._report(piece), is_end_of_chunk

    def read_nowait(self, n: int = -1) -> bytes:
        return self._report(self._original.read_nowait(n))

    # The iterators of aiohttp call the methods above.

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate("__aiter__")

    def iter_any(self) -> AsyncIterator[bytes]:
        return self._iterate("iter_any")

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        return self._iterate("iter_chunked", n)

    def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        return self._iterate("iter_chunks")

    def _iterate(self, name: str, *args: int) -> AsyncIterator[Any]:
        reader_class = cast("object", type(self._original))
        method: Callable[..., AsyncIterator[Any]] = getattr(reader_class, name)
        return method(self, *args)

    async def _read(self, reading: Awaitable[_Value]) -> _Value:
        recorder = self._recorder
        recorder.read_error = None
        try:
            return await reading
        except CancelledError:
            # The application may read on, for example after a timeout of one read. The
            # error itself would reference this frame.
            recorder.read_error = CancelledError()
            raise
        except IncompleteReadError:
            raise
        except BaseException as error:
            recorder.on_error(self._response(), error)
            raise

    def _report(self, piece: bytes) -> bytes:
        self._on_piece(piece)
        if self._original.at_eof():
            self._recorder.on_end(self._response())
        return piece
