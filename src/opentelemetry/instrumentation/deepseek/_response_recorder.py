"""Reports what an application reads of a response of an HTTP client.

The class of the response is replaced by a subclass while its body is open. A replaced
method of the object itself would lose the response in `send(…).iter_bytes()`, where
nothing else references it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from ._response_body import ResponseBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Iterator

    from ._observer import InvocationObserver


class RecordedResponse:
    """The base class of the methods that the subclass of a response has.

    It has no `__slots__`, because Python replaces the class of an object only by one of
    the same layout.
    """

    _deepseek_recorder: ResponseRecorder

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A response is pickled as an object of its own class. `requests` reads the
        # body here.
        response: Any = self
        response.__getstate__()
        self._deepseek_recorder.on_close(self)
        return response.__reduce_ex__(protocol)


class ResponseRecorder:
    """Reads what the methods of a response return; reads nothing itself.

    The response holds its recorder, which is freed with it: another instrumentation may
    have stored a method while the body was open, and call it later.
    """

    def __init__(
        self,
        response: Any,
        methods: type[RecordedResponse],
        observer: InvocationObserver,
    ) -> None:
        self.response_class: Final[Any] = type(response)
        self.is_reading = False
        # The cancellation of the last read, after which the application may read on.
        self.read_error: BaseException | None = None
        self.body: Final = ResponseBody(response.headers, observer)
        self._observer = observer
        self._is_detached = False
        response._deepseek_recorder = self  # noqa: SLF001  # set only here
        response.__class__ = _subclass(
            cast("Hashable", methods), cast("Hashable", self.response_class)
        )

    def __del__(self) -> None:
        if self._is_detached:
            return
        if self.read_error is not None:
            self._observer.fail(self.read_error)
        else:
            self._observer.on_stream_dropped()

    def __reduce__(self) -> Any:
        # A program that loads a pickled response does not need this package.
        return dict, ()

    def detach(self, response: Any) -> None:
        """Restores the class of the response.

        There is nothing left to read, or the SDK's parser reads the body from now on.
        """
        if not self._is_detached:
            self._is_detached = True
            response.__class__ = self.response_class

    def report(
        self,
        response: Any,
        pieces: Iterator[Any],
        on_piece: Callable[[Any], None],
    ) -> Iterator[Any]:
        """Yields the pieces of a body, and reports each before the application."""
        while True:
            self.is_reading = True
            try:
                piece = next(pieces)
            except StopIteration:
                self.on_end(response)
                return
            except BaseException as error:
                self.on_error(response, error)
                raise
            finally:
                self.is_reading = False
            on_piece(piece)
            yield piece

    async def report_async(
        self,
        response: Any,
        pieces: AsyncIterator[Any],
        on_piece: Callable[[Any], None],
    ) -> AsyncIterator[Any]:
        """Yields the pieces of a body, as `report`."""
        while True:
            self.is_reading = True
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                self.on_end(response)
                return
            except BaseException as error:
                self.on_error(response, error)
                raise
            finally:
                self.is_reading = False
            on_piece(piece)
            yield piece

    def on_end(self, response: Any) -> None:
        """Ends the invocation after the last byte."""
        if not self._is_detached:
            self.detach(response)
            self.body.on_end()

    def on_error(self, response: Any, error: BaseException) -> None:
        """Ends the invocation with an error of the connection."""
        self.detach(response)
        self._observer.fail(error)

    def on_close(self, response: Any) -> None:
        """Ends the invocation when the application closes the response."""
        # A response closes itself at the end of its body, before the iterator stops.
        if self.is_reading or self._is_detached:
            return
        self.detach(response)
        if self.read_error is not None:
            self._observer.fail(self.read_error)
        else:
            self._observer.end()


@cache
def _subclass(methods: Any, response_class: Any) -> Any:
    """Returns a class that has the name of the class of a response."""
    names = ("__module__", "__qualname__", "__doc__")
    attributes = {name: getattr(response_class, name) for name in names}
    return type(response_class.__name__, (methods, response_class), attributes)
