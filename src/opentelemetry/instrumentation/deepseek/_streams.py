"""What a caller holds instead of a stream or of a raw response: the same, observed.

`isinstance`, attributes and context managers are those of what it stands for, and
nothing is read before the caller reads it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ._raw_response import ReadByHand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from typing_extensions import Self

    from ._invocation import Call


class _StandIn:
    # Not `wrapt.ObjectProxy`, which has every special method there is: a stream that
    # has a length, or that `async with` takes, is not what the SDK gives.

    __slots__ = ("__weakref__", "_call", "_original")

    _call: Call
    _original: Any

    def __init__(self, original: Any, call: Call) -> None:
        object.__setattr__(self, "_original", original)
        object.__setattr__(self, "_call", call)

    @property  # type: ignore[misc]  # what isinstance() asks, besides type()
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._original.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._original, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._original, name)

    def __dir__(self) -> list[str]:
        return dir(self._original)

    def __repr__(self) -> str:
        return repr(self._original)


class _StreamStandIn(_StandIn):
    __slots__ = ()

    def __del__(self) -> None:
        self._call.abandoned()


class ObservedStream(_StreamStandIn):
    """An `openai.Stream`."""

    __slots__ = ("_chunks",)

    _chunks: Iterator[Any]

    def __init__(self, original: Any, call: Call) -> None:
        super().__init__(original, call)
        object.__setattr__(self, "_chunks", _observed(original, call))

    def __next__(self) -> Any:
        return next(self._chunks)

    def __iter__(self) -> Iterator[Any]:
        # A generator, as the SDK's is: `self` lives as long as it does, and dropping it
        # leaves the stream open.
        for chunk in self._chunks:  # noqa: UP028  # `yield from` would close the stream
            yield chunk

    def __enter__(self) -> Self:
        self._original.__enter__()
        return self

    def __exit__(self, *raised: object) -> Any:
        try:
            return self._original.__exit__(*raised)
        finally:
            self._call.end()

    def close(self) -> None:
        try:
            self._original.close()
        finally:
            self._call.end()


def _observed(stream: Iterator[Any], call: Call) -> Iterator[Any]:
    arrived, following = call.arrived, iter(stream).__next__
    while True:
        try:
            chunk = following()
        except StopIteration:
            call.exhausted()
            return
        except BaseException as error:
            call.fail(error)
            raise
        arrived(chunk)
        yield chunk


class ObservedAsyncStream(_StreamStandIn):
    """An `openai.AsyncStream`."""

    __slots__ = ()

    async def __anext__(self) -> Any:
        try:
            chunk = await self._original.__anext__()
        except StopAsyncIteration:
            self._call.exhausted()
            raise
        except BaseException as error:
            self._call.fail(error)
            raise
        self._call.arrived(chunk)
        return chunk

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

    async def __aexit__(self, *raised: object) -> Any:
        try:
            return await self._original.__aexit__(*raised)
        finally:
            self._call.end()

    async def close(self) -> None:
        try:
            await self._original.close()
        finally:
            self._call.end()

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not defined above. openai 3 has `aclose`, another name for
        # `close`; openai 2 has not, and so must its stand-in.
        found = super().__getattr__(name)
        return self.close if name == "aclose" else found


class ObservedResponse(_StandIn):
    """A raw response whose body is still on the wire.

    The call ends with what `parse()` gives; if nobody calls that, with the body.
    """

    __slots__ = ("_by_hand", "_given", "_standin")

    _by_hand: ReadByHand
    _given: Any
    _standin: Any

    def __init__(self, original: Any, call: Call) -> None:
        super().__init__(original, call)
        by_hand = ReadByHand(original.http_response, call)
        object.__setattr__(self, "_by_hand", by_hand)
        object.__setattr__(self, "_given", None)
        object.__setattr__(self, "_standin", None)

    def parse(self, **options: Any) -> Any:
        self._by_hand.leave_to_parser()
        with self._call:
            parsed = self._original.parse(**options)
            if inspect.isawaitable(parsed):
                return self._awaited(parsed)
            return self._observed(parsed)

    async def _awaited(self, parsed: Awaitable[Any]) -> Any:
        with self._call:
            return self._observed(await parsed)

    def _observed(self, parsed: Any) -> Any:
        # The SDK parses once, and gives the same stream again.
        if parsed is not self._given:
            object.__setattr__(self, "_given", parsed)
            object.__setattr__(self, "_standin", self._call.observe(parsed))
        return self._standin
