"""Wrappers of the SDK's streams that report each chunk to an observer.

A wrapper has the attributes, the type and the context manager of its stream. It reads
a chunk only when the application reads one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._proxy import TransparentProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from typing_extensions import Self

    from ._observer import InvocationObserver


class StreamProxy(TransparentProxy):
    __slots__ = ()

    replaceable_methods = frozenset({"close", "aclose"})

    def __del__(self) -> None:
        self._observer.on_stream_dropped()


class StreamWrapper(StreamProxy):
    """Wraps an `openai.Stream`."""

    __slots__ = ("_chunks",)

    _chunks: Iterator[Any]

    def __init__(self, original: Any, observer: InvocationObserver) -> None:
        super().__init__(original, observer)
        object.__setattr__(self, "_chunks", _report_chunks(original, observer))

    def __next__(self) -> Any:
        return next(self._chunks)

    def __iter__(self) -> Iterator[Any]:
        # A generator, like the SDK's: it keeps `self` alive while it exists, and
        # leaves the stream open when it is dropped.
        for chunk in self._chunks:  # noqa: UP028  # `yield from` would close the stream
            yield chunk

    def __enter__(self) -> Self:
        self._original.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> Any:
        try:
            if close := self._replaced_methods.get("close"):
                close()  # as the SDK's `__exit__` calls it
            return self._original.__exit__(*exc_info)
        finally:
            self._observer.end()

    @property
    def close(self) -> Callable[[], None]:
        return self._replaced_methods.get("close", self._close)

    def _close(self) -> None:
        try:
            self._original.close()
        finally:
            self._observer.end()


def _report_chunks(
    stream: Iterator[Any], observer: InvocationObserver
) -> Iterator[Any]:
    on_chunk, next_chunk = observer.on_chunk, iter(stream).__next__
    while True:
        try:
            chunk = next_chunk()
        except StopIteration:
            observer.on_stream_end()
            return
        except BaseException as error:
            observer.fail(error)
            raise
        on_chunk(chunk)
        yield chunk


class AsyncIterationProxy(StreamProxy):
    """Reports the chunks of an asynchronous iterator."""

    __slots__ = ()

    async def __anext__(self) -> Any:
        try:
            chunk = await self._original.__anext__()
        except StopAsyncIteration:
            self._observer.on_stream_end()
            raise
        except BaseException as error:
            self._observer.fail(error)
            raise
        self._observer.on_chunk(chunk)
        return chunk


class AsyncStreamWrapper(AsyncIterationProxy):
    """Wraps an `openai.AsyncStream`."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            try:
                chunk = await self.__anext__()
            except StopAsyncIteration:
                return
            yield chunk

    async def __aenter__(self) -> Self:
        await self._original.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        try:
            if close := self._replaced_methods.get("close"):
                await close()  # as the SDK's `__aexit__` calls it
            return await self._original.__aexit__(*exc_info)
        finally:
            self._observer.end()

    @property
    def close(self) -> Callable[[], Awaitable[None]]:
        return self._replaced_methods.get("close", self._close)

    async def _close(self) -> None:
        try:
            await self._original.close()
        finally:
            self._observer.end()

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for names that are not defined above. openai 3 has
        # `aclose` as another name for `close`; openai 2 has none, and then this
        # raises an AttributeError as the stream does.
        if name in self._replaced_methods:
            return self._replaced_methods[name]
        value = super().__getattr__(name)
        return self.close if name == "aclose" else value
