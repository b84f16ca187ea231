"""The invocation of a function of litellm, or of DSPy's engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ._coerce import as_int, fields_of
from ._iterator_stream import wrap_iterator
from ._request_invocation import RequestInvocation
from ._response_body import parse_body
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self


class ClientInvocation(RequestInvocation):
    """An invocation whose requests are reported while it runs."""

    # A tuple of types for isinstance(): a stream of litellm may be both.
    _stream_type = cast("type[Any]", (Iterator, AsyncIterator))
    _stream_wrapper: ClassVar[Any] = staticmethod(wrap_iterator)

    # The error of the last request, if it has failed.
    request_error: BaseException | None = None
    # Reads the body of the last response.
    _read_body: Callable[[], Any] | None = None
    _stream: Any = None
    _incomplete_line: bytes = b""

    def __enter__(self) -> Self:
        self.attach_context()
        return self

    def attach_context(self) -> None:
        """Makes the span current while a request is sent, or a stream is read."""
        self._telemetry.attach_context()

    def detach_context(self) -> None:
        self._telemetry.detach_context()

    def on_http_response(
        self,
        headers: Mapping[str, Any],
        status: int,
        read_body: Callable[[], Any] | None = None,
    ) -> None:
        super().on_http_response(headers, status)
        self.request_error = None
        self._read_body = read_body

    def on_failed_request(self, error: BaseException) -> None:
        # The error may be the application's, with a `response` of any type.
        with suppress_errors("reading a failed request"):
            self._telemetry.attributes.pop("http.response.status_code", None)
            self._read_body = None
            response: Any = getattr(error, "response", None)
            status = as_int(getattr(response, "status_code", None))
            if status is not None:
                self.on_http_response(response.headers, status)
        self.request_error = error

    def end_with_answer(self) -> bool:
        """Ends the span with the body of the last response, if that is an answer."""
        if self._read_body is None or self._has_ended:
            return self._read_body is not None
        with suppress_errors("reading a response body"):
            body = fields_of(self._read_body())
            if self._response.response_field in body:
                self._response.add(body)
                self.end()
                return True
        return False

    def on_chunk(self, chunk: Any) -> None:
        # litellm passes a stream in Anthropic's format on as it is.
        if isinstance(chunk, bytes):
            *lines, self._incomplete_line = (self._incomplete_line + chunk).split(b"\n")
            for line in lines:
                event = parse_body(line[5:]) if line.startswith(b"data:") else None
                if event is not None:
                    super().on_chunk(event)
        else:
            super().on_chunk(_with_plain_choices(chunk))

    def _record_or_wrap(self, result: Any) -> Any:
        if isinstance(result, dict):
            self._response.add(cast("object", result))
            self.end()
            return cast("object", result)
        recorded = super()._record_or_wrap(result)
        if recorded is not result:
            self._stream = result
        return recorded

    def _end(self, error: BaseException | None) -> None:
        stream, self._stream = self._stream, None
        if stream is not None and not self._has_ended:
            with suppress_errors("reading the usage of a stream"):
                self._add_usage(getattr(stream, "chunks", None))
        super()._end(error)

    def _add_usage(self, chunks: Sequence[Any] | None) -> None:
        """Adds the usage that litellm has removed from a chunk.

        It does so unless the application has asked for usage. It keeps the chunks as
        DeepSeek has sent them.
        """
        response: Any = self._response
        if response.usage is None:
            for chunk in reversed(chunks or ()):
                if (usage := getattr(chunk, "usage", None)) is not None:
                    response.usage = usage
                    return

    def _status_code(self, error: BaseException) -> int | None:
        # Not `status_code`, which litellm's errors have even without a response. This
        # is the status in an error of DSPy's engine.
        return as_int(getattr(error, "status", None))


def _with_plain_choices(chunk: Any) -> Any:
    """Returns the fields of a chunk of a chat completion.

    litellm declares few of the fields of a choice, so that pydantic keeps the others
    elsewhere.
    """
    if not (choices := getattr(chunk, "choices", None)):
        return chunk
    return {
        **fields_of(chunk),
        "choices": [
            {**fields_of(choice), "delta": fields_of(getattr(choice, "delta", None))}
            for choice in choices
        ],
    }
