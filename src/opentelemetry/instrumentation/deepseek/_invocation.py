"""One call observed, from the request to the last byte of the answer: one span."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ._coerce import count, text
from ._errors import StreamAbandonedError, StreamCutError, described, status_code
from ._raw_response import parsed
from ._request import request_attributes, request_body
from ._streams import ObservedAsyncStream, ObservedResponse, ObservedStream
from ._suppress import lost, quietly
from ._telemetry import Inference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from ._endpoint import Server
    from ._operations import Operation
    from ._signals import Signals

# To measure one gap after another takes the SDK half as long as each between chunks.
_CHUNKS_AT_ONCE: Final = 128
# More choices than that nobody gives: DeepSeek one, OpenAI so many.
_MOST_CHOICES: Final = 128


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
        self._ended = False
        self._inference = inference = Inference(
            signals, operation.name, server, text(body.get("model"))
        )
        if inference.wants_nothing:
            self._ended = True
            return
        self._expected = min(count(body.get("n")) or 1, _MOST_CHOICES)
        self._arrivals: list[float] | None = None
        self._labels: Mapping[str, Any] = {}
        self._answer = operation.answer(keeps_text=inference.wants_content)
        try:
            if inference.wants_attributes:
                inference.attributes = request_attributes(body, operation.settings)
            if inference.wants_content:
                inference.content = operation.content(body)
        except Exception as error:  # noqa: BLE001  # as `quietly` does, faster
            lost("reading a request", error)

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
        self._inference.suspend()

    def observe(self, result: Any) -> Any:
        """Record `result`; or return a stand-in that will, once it has arrived."""
        if self._ended:
            return result
        try:
            return self._observed(result)
        except Exception as error:  # noqa: BLE001  # as above
            lost("observing an answer", error)
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
            self.read(http_response.content)
        self.end()
        return result

    def read(self, body: bytes | bytearray) -> None:
        """The caller has read a whole answer's bytes."""
        with quietly("reading an answer"):
            if (answer := parsed(body)) is not None:
                self._answer.add(answer)
        self.end()

    def arrived(self, chunk: Any) -> None:
        """A chunk of a stream has."""
        try:
            self._answer.add(chunk)
            if (arrivals := self._arrivals) is not None:
                arrivals.append(perf_counter())
                if len(arrivals) > _CHUNKS_AT_ONCE:
                    self._measure_gaps(arrivals)
            elif self._answer.parts == 1:
                self._first_chunk_arrived()
        except Exception as error:  # noqa: BLE001  # as above
            lost("reading a chunk", error)

    def _first_chunk_arrived(self) -> None:
        now = perf_counter()
        inference, model = self._inference, self._answer.model
        attributes = inference.attributes
        attributes["gen_ai.request.stream"] = True
        attributes["gen_ai.response.time_to_first_chunk"] = inference.elapsed(now)
        if model:
            attributes["gen_ai.response.model"] = model
        if inference.wants_chunks:
            self._labels = inference.first_chunk(now)
            self._arrivals = [now]

    def _measure_gaps(self, arrivals: list[float]) -> None:
        gaps = [after - before for before, after in pairwise(arrivals)]
        if gaps:
            self._inference.next_chunks(gaps, self._labels)
            del arrivals[:-1]

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
        try:
            attributes = inference.attributes
            attributes.update(answer.attributes(self._expected))
            if "gen_ai.response.time_to_first_chunk" in attributes:
                self._measure_stream(attributes)
            if inference.wants_content:
                inference.content = inference.content._replace(
                    outputs=answer.messages()
                )
        except Exception as failure:  # noqa: BLE001  # as above
            lost("recording an answer", failure)
        try:
            inference.end(
                None
                if error is None
                else described(error, with_content=inference.wants_content)
            )
        except Exception as failure:  # noqa: BLE001  # as above
            lost("ending a span", failure)

    def _measure_stream(self, attributes: dict[str, Any]) -> None:
        self._measure_gaps(self._arrivals or [])
        for said, at in (
            ("reasoning", self._answer.first_reasoning_at),
            ("answer", self._answer.first_answer_at),
        ):
            if at is not None:
                attributes[f"deepseek.response.time_to_first_{said}"] = (
                    self._inference.elapsed(at)
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
