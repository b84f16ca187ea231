"""One call observed, from the request to the last byte of the answer: one span."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from time import perf_counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from ._errors import StreamAbandonedError, StreamCutError, described, status_code
from ._inference import Inference
from ._quietly import quietly
from ._request import request_attributes, request_body
from ._standins import ObservedAsyncStream, ObservedResponse, ObservedStream
from ._values import text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from ._client import Server
    from ._inference import Signals
    from ._operations import Operation

_reading_a_chunk: Final = quietly("reading a chunk")


class Call:
    """From the request to the last byte of the answer.

    As a context manager it covers the making of the call: what is raised inside ends
    the span. What comes back goes through `observe`. However often and from wherever
    the end is told, the first time counts.
    """

    def __init__(
        self,
        signals: Signals,
        operation: Operation,
        server: Server,
        arguments: Mapping[str, Any],
    ) -> None:
        body = request_body(arguments)
        self._expected = whole(body.get("n")) or 1
        self._ended = False
        self._last_chunk_at = 0.0
        self._labels: Mapping[str, Any] = {}
        self._inference = inference = Inference(
            signals, operation.name, server, text(body.get("model"))
        )
        self._answer = operation.answer(keeps_text=inference.wants_content)
        if inference.wants_attributes:
            with quietly("reading a request"):
                inference.attributes = request_attributes(body, operation.settings)
        if inference.wants_content:
            with quietly("reading a request's content"):
                inference.content = operation.content(body)

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
        # What the caller does next is not part of the call, though a stream of it may
        # still be open.
        with quietly("leaving a call"):
            self._inference.suspend()

    def observe(self, result: Any) -> Any:
        """Record `result`; or return a stand-in that will, once it has arrived."""
        with quietly("observing an answer"):
            return self._observed(result)
        self.end()
        return result

    def _observed(self, result: Any) -> Any:
        # By shape, not by class: the SDK's raw responses are private, and another
        # instrumentation may have put its own stand-in around what the SDK gave.
        if hasattr(result, self._answer.whole):
            self._answer.add(result)
        elif isinstance(result, Iterator):
            self._see_headers(result)
            return ObservedStream(result, self)
        elif isinstance(result, AsyncIterator):
            self._see_headers(result)
            return ObservedAsyncStream(result, self)
        elif (http_response := getattr(result, "http_response", None)) is not None:
            self._see_headers(result)
            if not http_response.is_closed:
                return ObservedResponse(result, self)
            # The body is in memory, and the SDK has not parsed it: nor do we, for the
            # caller might not, or into a type of their own.
            with suppress(ValueError, RecursionError):  # parsing it will tell them
                body = json.loads(
                    http_response.content,
                    object_hook=lambda fields: SimpleNamespace(**fields),
                )
                if isinstance(body, SimpleNamespace):
                    self._answer.add(body)
        self.end()
        return result

    def arrived(self, chunk: Any) -> None:
        """A chunk of a stream has."""
        with _reading_a_chunk:
            answer, inference = self._answer, self._inference
            answer.add(chunk)
            if answer.parts == 1:
                now = self._last_chunk_at = perf_counter()
                attributes = inference.attributes
                attributes["gen_ai.request.stream"] = True
                attributes["gen_ai.response.time_to_first_chunk"] = inference.elapsed(
                    now
                )
                if answer.model:
                    attributes["gen_ai.response.model"] = answer.model
                self._labels = inference.first_chunk(now)
            elif inference.wants_chunks:
                now = perf_counter()
                inference.next_chunk(now - self._last_chunk_at, self._labels)
                self._last_chunk_at = now

    def exhausted(self) -> None:
        """The server has ended the stream."""
        if self._answer.finished:
            self.end()
        else:
            self.fail(StreamCutError("the stream ended without a finish reason"))

    def abandoned(self) -> None:
        """The caller dropped the stream, and did not say so."""
        if self._answer.parts:
            self.end()
        else:
            self.fail(StreamAbandonedError("the stream was dropped unread"))

    def end(self) -> None:
        """The answer is complete, or the caller wants no more of it."""
        self._finish(None)

    def fail(self, error: BaseException) -> None:
        if self._ended:
            return
        with quietly("reading an error"):
            self._see_headers(error)
            if (status := status_code(error)) is not None:
                self._inference.attributes["http.response.status_code"] = status
            # `parse()` refuses an answer that was cut for length, or filtered: it was
            # paid for all the same.
            if (completion := getattr(error, "completion", None)) is not None:
                self._answer.add(completion)
        self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if self._ended:
            return
        self._ended = True
        inference, answer = self._inference, self._answer
        with quietly("recording an answer"):
            attributes = inference.attributes
            attributes.update(answer.attributes(self._expected))
            if "gen_ai.response.time_to_first_chunk" in attributes:
                for said, at in (
                    ("reasoning", answer.first_reasoning_at),
                    ("answer", answer.first_answer_at),
                ):
                    if at is not None:
                        attributes[f"deepseek.response.time_to_first_{said}"] = (
                            inference.elapsed(at)
                        )
            if inference.wants_content:
                inference.content = inference.content._replace(
                    outputs=answer.messages()
                )
        with quietly("ending a span"):
            inference.end(
                None
                if error is None
                else described(error, with_content=inference.wants_content)
            )

    def _see_headers(self, result: Any) -> None:
        # A stream and an error have `response`, a raw response has `http_response`.
        response = getattr(result, "http_response", None) or getattr(
            result, "response", None
        )
        if response is not None and (
            trace_id := text(response.headers.get("x-ds-trace-id"))
        ):
            self._inference.attributes["deepseek.response.trace_id"] = trace_id
