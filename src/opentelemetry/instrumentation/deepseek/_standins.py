"""What a caller holds instead of a stream or of a raw response: the same, observed.

A stand-in is a transparent proxy: `isinstance`, attributes and context managers are
those of what it stands for, and nothing is read before the caller reads it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from wrapt import ObjectProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from typing_extensions import Self

    from ._call import Call

    # wrapt's own type forwards every attribute as Any; so does this one.
    class _Proxy:
        __wrapped__: Any

        def __init__(self, wrapped: Any) -> None: ...

else:
    _Proxy = ObjectProxy


class _Observed(_Proxy):
    _self_call: Call

    def __init__(self, wrapped: Any, call: Call) -> None:
        super().__init__(wrapped)
        self._self_call = call

    def __del__(self) -> None:
        self._self_call.abandoned()


class ObservedStream(_Observed):
    """An `openai.Stream`."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self.__wrapped__)
        except StopIteration:
            self._self_call.exhausted()
            raise
        except BaseException as error:
            self._self_call.fail(error)
            raise
        self._self_call.arrived(chunk)
        return chunk

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *raised: object) -> Any:
        try:
            return self.__wrapped__.__exit__(*raised)
        finally:
            self._self_call.end()

    def close(self) -> None:
        try:
            self.__wrapped__.close()
        finally:
            self._self_call.end()


class ObservedAsyncStream(_Observed):
    """An `openai.AsyncStream`."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            chunk = await self.__wrapped__.__anext__()
        except StopAsyncIteration:
            self._self_call.exhausted()
            raise
        except BaseException as error:
            self._self_call.fail(error)
            raise
        self._self_call.arrived(chunk)
        return chunk

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> Any:
        try:
            return await self.__wrapped__.__aexit__(*raised)
        finally:
            self._self_call.end()

    async def close(self) -> None:
        try:
            await self.__wrapped__.close()
        finally:
            self._self_call.end()

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not defined above. openai 3 has `aclose`, another name for
        # `close`; openai 2 has not, and so must its stand-in.
        found = getattr(self.__wrapped__, name)
        return self.close if name == "aclose" else found


class ObservedResponse(_Proxy):
    """A raw response whose body is still on the wire.

    The call ends with what `parse()` gives; if nobody calls that, with the body.
    """

    def __init__(self, response: Any, call: Call) -> None:
        super().__init__(response)
        self._self_call = call
        self._self_parsed: Any = None
        self._self_standin: Any = None
        http = response.http_response
        # `stream` is public in httpx and httpx2; whoever reads or closes the body
        # does it there.
        http.stream = self._self_body = _ObservedBody(http.stream, call)

    def parse(self, **options: Any) -> Any:
        self._self_body.leave_to_parser()
        with self._self_call:
            parsed = self.__wrapped__.parse(**options)
            if inspect.isawaitable(parsed):
                return self._self_awaited(parsed)
            return self._self_observed(parsed)

    async def _self_awaited(self, parsed: Awaitable[Any]) -> Any:
        with self._self_call:
            return self._self_observed(await parsed)

    def _self_observed(self, parsed: Any) -> Any:
        # The SDK parses once, and gives the same stream again.
        if parsed is not self._self_parsed:
            self._self_parsed = parsed
            self._self_standin = self._self_call.observe(parsed)
        return self._self_standin


class _ObservedBody(_Observed):
    """The bytes of a response, for the case that nobody parses them."""

    _self_parsed = False

    def leave_to_parser(self) -> None:
        self._self_parsed = True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.__wrapped__.__aiter__()  # type: ignore[no-any-return]

    def close(self) -> None:
        try:
            self.__wrapped__.close()
        finally:
            if not self._self_parsed:
                self._self_call.end()

    async def aclose(self) -> None:
        try:
            await self.__wrapped__.aclose()
        finally:
            if not self._self_parsed:
                self._self_call.end()

    def __del__(self) -> None:
        if not self._self_parsed:
            super().__del__()
