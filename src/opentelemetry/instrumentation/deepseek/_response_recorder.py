"""Reports what an application reads of a response of an HTTP client.

The class of the response is replaced by a subclass while its body is open. A replaced
method of the object itself would lose the response in `send(…).iter_bytes()`, where
nothing else references it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from ._coerce import DICT_TYPE
from ._response_body import ResponseBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Iterator

    from ._observer import InvocationObserver

_RECORDER: Final = "_deepseek_recorder"
_ORIGINAL_CLASS: Final = "_deepseek_original_class"


def original_class(response: Any) -> Any:
    """Returns the class that a response has without a recorder."""
    response_class: type = response.__class__
    return vars(response_class).get(_ORIGINAL_CLASS, response_class)


def recorder_of(response: object) -> ResponseRecorder | None:
    """Returns None after the end of the body.

    Another instrumentation may have stored a method while the body was open, and call
    it later.
    """
    return vars(response).get(_RECORDER)


class RecordedResponse:
    """The base class of the methods that the subclass of a response has.

    It has no `__slots__`, because Python replaces the class of an object only by one of
    the same layout.
    """

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A response is copied and pickled as an object of its own class.
        subclass = type(self)
        reduced: Any = original_class(self).__reduce_ex__(self, protocol)
        if isinstance(reduced, str):
            return reduced
        parts: list[Any] = list(reduced)
        parts[1] = tuple(
            original_class(self) if argument is subclass else argument
            for argument in parts[1]
        )
        state: Any = parts[2] if len(parts) > 2 else None  # noqa: PLR2004
        if type(state) in DICT_TYPE:
            parts[2] = {k: v for k, v in state.items() if k != _RECORDER}
        return tuple(parts)


class ResponseRecorder:
    """Reads what the methods of a response return; reads nothing itself.

    The response holds its recorder until the body ends, and both are freed together.
    """

    def __init__(
        self,
        response: Any,
        methods: type[RecordedResponse],
        observer: InvocationObserver,
    ) -> None:
        # The class may not have a subclass. Then there is nothing to restore.
        self._is_detached = True
        subclass = _subclass(
            cast("Hashable", methods), cast("Hashable", original_class(response))
        )
        self.body: Final = ResponseBody(response.headers, observer)
        # Whether a method of the HTTP client runs, which calls others.
        self.is_reading = False
        # The cancellation of the last read, if the application may read on after it.
        self.read_error: BaseException | None = None
        self._observer = observer
        self._is_detached = False
        setattr(response, _RECORDER, self)
        response.__class__ = subclass

    def __del__(self) -> None:
        if self._is_detached:
            return
        if self.read_error is not None:
            self._observer.fail(self.read_error)
        else:
            self.body.on_drop()

    def detach(self, response: Any) -> None:
        """Restores the class of the response, which is None if it is freed.

        There is nothing left to read, or the SDK's parser reads the body from now on.
        """
        self._is_detached = True
        if response is not None and recorder_of(response) is self:
            delattr(response, _RECORDER)
            response.__class__ = original_class(response)

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
        if not self._is_detached:
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
            self.body.on_close()


@cache
def _subclass(methods: Any, response_class: Any) -> Any:
    """Returns a class that has the name of the class of a response."""
    names = ("__module__", "__qualname__", "__doc__")
    attributes = {name: getattr(response_class, name) for name in names}
    attributes[_ORIGINAL_CLASS] = response_class
    return type(response_class.__name__, (methods, response_class), attributes)
