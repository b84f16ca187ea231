"""Wrappers of the streams of clients other than the `openai` SDK.

A stream of litellm may be an iterator, an asynchronous iterator, or both, and a context
manager or not. Its wrapper has the same special methods, because programs look for
them, and forwards everything else.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from ._awaited_result import coroutine_around
from ._streams import AsyncIterationProxy, StreamProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from typing_extensions import Self

    from ._awaited_result import AwaitedResult
    from ._observer import InvocationObserver


def wrap_iterator(original: Any, observer: InvocationObserver) -> Any:
    """Returns a wrapper of a stream, which reads a chunk only when one is read."""
    return _wrapper_class(cast("Hashable", type(original)))(original, observer)


class _IteratorStream(StreamProxy):
    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in self._replaced_methods:
            return self._replaced_methods[name]
        value = super().__getattr__(name)
        return _ending(value, self._observer) if name in _CLOSING_METHODS else value


class _SyncIteration(_IteratorStream):
    __slots__ = ()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            chunk = self._original.__next__()
        except StopIteration:
            self._observer.on_stream_end()
            raise
        except BaseException as error:
            self._observer.fail(error)
            raise
        self._observer.on_chunk(chunk)
        return chunk


class _AsyncIteration(_IteratorStream, AsyncIterationProxy):
    __slots__ = ()

    def __aiter__(self) -> Self:
        return self


class _SyncContext(_IteratorStream):
    __slots__ = ()

    def __enter__(self) -> Self:
        self._original.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> Any:
        try:
            return self._original.__exit__(*exc_info)
        finally:
            self._observer.end()


class _AsyncContext(_IteratorStream):
    __slots__ = ()

    async def __aenter__(self) -> Self:
        await self._original.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> Any:
        try:
            return await self._original.__aexit__(*exc_info)
        finally:
            self._observer.end()


_CLOSING_METHODS: Final = frozenset({"close", "aclose"})
_MIXINS: Final = (
    ("__next__", _SyncIteration),
    ("__anext__", _AsyncIteration),
    ("__enter__", _SyncContext),
    ("__aenter__", _AsyncContext),
)


@cache
def _wrapper_class(stream_type: Hashable) -> type[_IteratorStream]:
    mixins = tuple(mixin for name, mixin in _MIXINS if hasattr(stream_type, name))
    wrapper_class: Any = type("IteratorStreamWrapper", mixins, {"__slots__": ()})
    return cast("type[_IteratorStream]", wrapper_class)


def _ending(
    close: Callable[..., Any], observer: InvocationObserver
) -> Callable[..., Any]:
    """Returns a method that closes a stream and ends its span."""

    def close_and_end(*args: Any, **kwargs: Any) -> Any:
        try:
            result = close(*args, **kwargs)
        except BaseException:
            observer.end()
            raise
        if inspect.isawaitable(result):
            return coroutine_around(result, await_and_end)
        observer.end()
        return result

    async def await_and_end(result: AwaitedResult) -> Any:
        try:
            return await result.awaitable
        finally:
            observer.end()

    return close_and_end
