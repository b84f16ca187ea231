"""Raw responses, whose body the application reads without the SDK's parser."""

from __future__ import annotations

import inspect
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import ref

from ._proxy import TransparentProxy
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from ._observer import InvocationObserver

# Public methods of an `httpx.Response`, through which every read and close goes.
_READ_AND_CLOSE_METHODS: Final = ("iter_bytes", "aiter_bytes", "close", "aclose")


def parse_body(body: bytes | bytearray) -> dict[str, Any] | None:
    """Parses a body; returns None if it is not a JSON object.

    The application gets the error when it parses the body.
    """
    with suppress(ValueError, RecursionError):
        value = json.loads(body)
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
    return None


class RawResponseWrapper(TransparentProxy):
    """Wraps a raw response whose body has not been read yet.

    The invocation ends with the result of `parse()`, or with the body if the
    application does not call `parse()`.
    """

    __slots__ = ("_body_recorder", "_parsed", "_recorded")

    replaceable_methods = frozenset({"parse"})

    _body_recorder: BodyRecorder
    _parsed: Any
    _recorded: Any

    def __init__(self, original: Any, observer: InvocationObserver) -> None:
        super().__init__(original, observer)
        body_recorder = BodyRecorder(original.http_response, observer)
        object.__setattr__(self, "_body_recorder", body_recorder)
        object.__setattr__(self, "_parsed", None)
        object.__setattr__(self, "_recorded", None)

    @property
    def parse(self) -> Callable[..., Any]:
        return self._replaced_methods.get("parse", self._parse)

    def _parse(self, **options: Any) -> Any:
        self._body_recorder.detach()
        with self._observer:
            parsed = self._original.parse(**options)
            if inspect.isawaitable(parsed):
                return self._await_and_record(parsed)
            return self._record(parsed)

    async def _await_and_record(self, parsed: Awaitable[Any]) -> Any:
        with self._observer:
            return self._record(await parsed)

    def _record(self, parsed: Any) -> Any:
        # The SDK parses once and then returns the same object, and so does this.
        if parsed is not self._parsed:
            object.__setattr__(self, "_parsed", parsed)
            object.__setattr__(self, "_recorded", self._observer.record(parsed))
        return self._recorded


class BodyRecorder:
    """Reports what the application reads of an `httpx.Response`; reads nothing itself.

    It replaces methods of that one object. The object holds the recorder, and the
    recorder holds the object weakly, so both are freed together.
    """

    def __init__(self, http_response: Any, observer: InvocationObserver) -> None:
        self._http_response = ref(http_response)
        self._http_class: Any = type(http_response)
        self._observer = observer
        self._is_event_stream = "event-stream" in http_response.headers.get(
            "content-type", ""
        )
        self._buffer = bytearray()
        self._is_reading = False
        self._is_detached = False
        for name in _READ_AND_CLOSE_METHODS:
            setattr(http_response, name, getattr(self, name))

    def detach(self) -> None:
        """Restores the methods, because the SDK's parser reads the body from now on."""
        http_response: Any = self._http_response()
        if not self._is_detached and http_response is not None:
            self._is_detached = True
            for name in _READ_AND_CLOSE_METHODS:
                delattr(http_response, name)

    def __del__(self) -> None:
        if not self._is_detached:
            self._observer.on_stream_dropped()

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        http_response: Any = self._http_response()
        pieces = self._http_class.iter_bytes(http_response, chunk_size)
        while True:
            self._is_reading = True
            try:
                piece = next(pieces)
            except StopIteration:
                self._on_body_end()
                return
            except BaseException as error:
                self._observer.fail(error)
                raise
            finally:
                self._is_reading = False
            self._on_bytes(piece)
            yield piece

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        http_response: Any = self._http_response()
        pieces = self._http_class.aiter_bytes(http_response, chunk_size)
        while True:
            self._is_reading = True
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                self._on_body_end()
                return
            except BaseException as error:
                self._observer.fail(error)
                raise
            finally:
                self._is_reading = False
            self._on_bytes(piece)
            yield piece

    def close(self) -> None:
        http_response: Any = self._http_response()
        try:
            self._http_class.close(http_response)
        finally:
            self._on_close()

    async def aclose(self) -> None:
        http_response: Any = self._http_response()
        try:
            await self._http_class.aclose(http_response)
        finally:
            self._on_close()

    def _on_close(self) -> None:
        # A response closes itself at the end of its body, before the iterator stops.
        if not self._is_reading:
            self._observer.end()

    def _on_bytes(self, piece: bytes) -> None:
        with suppress_errors("reading bytes of a body"):
            self._buffer += piece
            if self._is_event_stream:
                *lines, self._buffer = self._buffer.split(b"\n")
                for line in lines:
                    if line.startswith(b"data:") and (chunk := parse_body(line[5:])):
                        self._observer.on_chunk(chunk)

    def _on_body_end(self) -> None:
        if self._is_event_stream:
            self._observer.on_stream_end()
        else:
            self._observer.record_body(self._buffer)
