"""One call to DeepSeek, from the request to the last byte of the response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ._coerce import as_count, as_text
from ._errors import (
    ErrorDescription,
    IncompleteStreamError,
    UnreadStreamError,
    describe_body_error,
    describe_error,
    status_code,
)
from ._parse_errors import response_of
from ._raw_response import RawResponseWrapper
from ._request import request_attributes, request_body
from ._response_body import parse_body
from ._streams import AsyncStreamWrapper, StreamWrapper
from ._suppress import log_suppressed, suppress_errors
from ._telemetry import InvocationTelemetry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from ._endpoint import Endpoint
    from ._operations import Operation
    from ._signals import Signals

# Gaps between chunks are recorded in batches: to record each one at once takes half as
# long as the SDK takes for a chunk.
_CHUNK_BATCH_SIZE: Final = 128
# DeepSeek generates one choice, OpenAI at most 128. A larger `n` must not fill
# `finish_reasons`.
_MAX_CHOICES: Final = 128


class Invocation:
    """Records one call as one span, with its metrics and its event.

    As a context manager it covers the SDK's method: an exception in the block ends the
    span. The result of the method is passed to `record`. The first end counts; later
    ones are ignored.
    """

    # The called method decides, and not the protocols of the result: another
    # instrumentation's wrapper may have both, as a `wrapt.ObjectProxy` has.
    _stream_type: ClassVar[type[Any]] = Iterator
    _stream_wrapper: ClassVar[type[StreamWrapper | AsyncStreamWrapper]] = StreamWrapper
    _telemetry_class: ClassVar[type[InvocationTelemetry]] = InvocationTelemetry

    def __init__(
        self,
        signals: Signals,
        operation: Operation,
        endpoint: Endpoint,
        arguments: Mapping[str, Any],
    ) -> None:
        body = request_body(arguments)
        self._has_ended = False
        self._open_streams = signals.open_streams
        self._telemetry = telemetry = self._telemetry_class(
            signals, operation.name, endpoint, as_text(body.get("model"))
        )
        if telemetry.wants_nothing:
            self._has_ended = True
            return
        self._choice_count = min(as_count(body.get("n")) or 1, _MAX_CHOICES)
        self._chunk_times: list[float] | None = None
        self._metric_attributes: Mapping[str, Any] = {}
        self._response = operation.accumulator(wants_content=telemetry.wants_content)
        try:
            if telemetry.wants_attributes:
                telemetry.attributes = request_attributes(
                    body, operation.request_fields
                )
            if telemetry.wants_content:
                telemetry.content = operation.request_content(body)
        except Exception as error:  # noqa: BLE001  # as suppress_errors, but faster
            log_suppressed("reading a request", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.fail(error)
        # Later spans of the application are not children of this one, even if its
        # stream is still open.
        self._telemetry.detach_context()

    @property
    def is_recording(self) -> bool:
        """Whether there is a span that is recorded."""
        return not self._has_ended and self._telemetry.span.is_recording()

    def record(self, result: Any) -> Any:
        """Records `result`, or returns a wrapper that does so when it is read."""
        if self._has_ended:
            return result
        try:
            return self._record_or_wrap(result)
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading a result", error)
        self.end()
        return result

    def _record_or_wrap(self, result: Any) -> Any:
        # By attributes and not by class: the SDK's raw responses are private classes,
        # and another instrumentation may have wrapped what the SDK returned.
        if hasattr(result, self._response.response_field) or hasattr(result, "error"):
            self._response.add(result)
        elif isinstance(result, self._stream_type):
            self._record_trace_id(result)
            self._open_streams.add(self)
            return self._stream_wrapper(result, self)
        elif (http_response := getattr(result, "http_response", None)) is not None:
            self._record_trace_id(result)
            if not http_response.is_closed:
                self._open_streams.add(self)
                return RawResponseWrapper(result, self)
            # The body is in memory and not parsed. `parse()` of the SDK is not called
            # here, because the application may never call it, or may parse the body
            # into a type of its own.
            self.record_body(http_response.content)
        self.end()
        return result

    def record_body(self, body: bytes | bytearray) -> None:
        with suppress_errors("reading a response body"):
            if (response := parse_body(body)) is not None:
                self._response.add(response)
        self.end()

    def on_chunk(self, chunk: Any) -> None:
        try:
            self._response.add_chunk(chunk)
            if (chunk_times := self._chunk_times) is not None:
                chunk_times.append(perf_counter())
                if len(chunk_times) > _CHUNK_BATCH_SIZE:
                    self._record_chunk_gaps(chunk_times)
            elif self._response.chunk_count == 1:
                self._on_first_chunk()
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading a chunk", error)

    def _on_first_chunk(self) -> None:
        now = perf_counter()
        telemetry, model = self._telemetry, self._response.model
        attributes = telemetry.attributes
        attributes["gen_ai.request.stream"] = True
        attributes["gen_ai.response.time_to_first_chunk"] = telemetry.elapsed(now)
        if model:
            attributes["gen_ai.response.model"] = model
        if telemetry.wants_chunks:
            self._metric_attributes = telemetry.record_first_chunk(now)
            self._chunk_times = [now]

    def _record_chunk_gaps(self, chunk_times: list[float]) -> None:
        gaps = [after - before for before, after in pairwise(chunk_times)]
        if gaps:
            self._telemetry.record_chunk_gaps(gaps, self._metric_attributes)
            del chunk_times[:-1]

    def on_stream_end(self) -> None:
        if self._response.is_finished:
            self.end()
        else:
            self.fail(IncompleteStreamError("the stream ended without a finish reason"))

    def on_stream_dropped(self) -> None:
        if self._response.chunk_count:
            self.end()
        else:
            self.fail(UnreadStreamError("the stream was dropped unread"))

    def end(self) -> None:
        self._end(None)

    def fail(self, error: BaseException) -> None:
        if self._has_ended:
            return
        with suppress_errors("reading an error"):
            self._record_trace_id(error)
            if (status := self._status_code(error)) is not None:
                self._telemetry.attributes["http.response.status_code"] = status
            if not self._response.chunk_count:
                response = response_of(error, self._response.response_field)
                if response is not None:
                    self._response.add(response)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        telemetry, response = self._telemetry, self._response
        try:
            attributes = telemetry.attributes
            attributes.update(response.attributes(self._choice_count))
            if "gen_ai.response.time_to_first_chunk" in attributes:
                self._record_stream_times(attributes)
            if telemetry.wants_content:
                telemetry.content = telemetry.content._replace(
                    output_messages=response.messages()
                )
        except Exception as internal_error:  # noqa: BLE001  # as above
            log_suppressed("recording a response", internal_error)
        try:
            description = self._describe_error(error)
        except Exception as internal_error:  # noqa: BLE001  # as above
            log_suppressed("describing an error", internal_error)
            description = None if error is None else ErrorDescription("_OTHER", "")
        try:
            telemetry.end(description)
        except Exception as internal_error:  # noqa: BLE001  # as above
            log_suppressed("ending a span", internal_error)

    def _status_code(self, error: BaseException) -> int | None:
        return status_code(error)

    def _describe_error(self, error: BaseException | None) -> ErrorDescription | None:
        with_content = self._telemetry.wants_content
        # The cause of an exception that the SDK raises when it parses such a body.
        if (body_error := self._response.error) is not None:
            return describe_body_error(
                body_error, with_content=with_content, secrets=self._request_secrets()
            )
        if error is None:
            return None
        return describe_error(
            error, with_content=with_content, secrets=self._request_secrets()
        )

    def _request_secrets(self) -> Sequence[str]:
        # The errors of the SDK have the request.
        return ()

    def _record_stream_times(self, attributes: dict[str, Any]) -> None:
        self._record_chunk_gaps(self._chunk_times or [])
        for kind, time in (
            ("reasoning", self._response.first_reasoning_time),
            ("answer", self._response.first_answer_time),
        ):
            if time is not None:
                attributes[f"deepseek.response.time_to_first_{kind}"] = (
                    self._telemetry.elapsed(time)
                )

    def _record_trace_id(self, result: Any) -> None:
        # A stream and an error have `response`; a raw response has `http_response`.
        response = getattr(result, "http_response", None) or getattr(
            result, "response", None
        )
        if response is not None:
            self._record_headers(response.headers)

    def _record_headers(self, headers: Mapping[str, Any]) -> None:
        if trace_id := as_text(headers.get("x-ds-trace-id")):
            self._telemetry.attributes["deepseek.response.trace_id"] = trace_id


class AsyncInvocation(Invocation):
    """The invocation of a method of an asynchronous resource."""

    _stream_type = AsyncIterator
    _stream_wrapper = AsyncStreamWrapper
