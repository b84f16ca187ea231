"""Raw responses, whose body the application reads without the SDK's parser."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ._httpx_response import RecordedHttpxResponse
from ._proxy import TransparentProxy
from ._response_recorder import ResponseRecorder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._observer import InvocationObserver


class RawResponseWrapper(TransparentProxy):
    """Wraps a raw response whose body has not been read yet.

    The invocation ends with the result of `parse()`, or with the body if the
    application does not call `parse()`.
    """

    __slots__ = ("_parsed", "_recorded", "_response_recorder")

    replaceable_methods = frozenset({"parse"})

    _parsed: Any
    _recorded: Any
    _response_recorder: ResponseRecorder

    def __init__(self, original: Any, observer: InvocationObserver) -> None:
        super().__init__(original, observer)
        recorder = ResponseRecorder(
            original.http_response, RecordedHttpxResponse, observer
        )
        object.__setattr__(self, "_response_recorder", recorder)
        object.__setattr__(self, "_parsed", None)
        object.__setattr__(self, "_recorded", None)

    @property
    def parse(self) -> Callable[..., Any]:
        return self._replaced_methods.get("parse", self._parse)

    def _parse(self, **options: Any) -> Any:
        self._response_recorder.detach(self._original.http_response)
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
