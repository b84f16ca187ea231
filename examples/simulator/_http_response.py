"""HTTP responses: pace, keep-alives, and interruptions by faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._errors import JSON, content_risk
from ._recorded_response import EVENT_STREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._completions import Completion
    from ._exchange import Exchange
    from ._faults import Fault
    from ._recorded_response import RecordedResponse

KEEP_ALIVE_INTERVAL = 12.4  # seconds, as measured on the live API
KEEP_ALIVE_COMMENT = b": keep-alive\n\n"
BLANK_LINE = b"\n"
# Headers of a recorded response that describe the connection it was recorded on.
_CONNECTION_HEADERS = {
    "connection",
    "content-length",
    "date",
    "server",
    "transfer-encoding",
}


class ConnectionDropError(Exception):
    """Raised where the server must break the connection."""


@dataclass
class HttpResponse:
    """A response to send.

    With a length, the body is sent at once. Without a length, each part is sent as a
    chunk as soon as `parts` yields it.
    """

    status: int
    content_type: str | None
    parts: Iterable[bytes]
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


class ResponseFactory:
    """Creates responses and records their outcome on the exchange.

    `pace` is the number of seconds between two chunks of output. `wait` sleeps for a
    number of seconds and raises ConnectionDropError if the server is closed.
    """

    def __init__(self, pace: float, wait: Callable[[float], None]) -> None:
        self._pace = pace
        self.wait = wait

    def stream_response(
        self, completion: Completion, exchange: Exchange, fault: Fault
    ) -> HttpResponse:
        """Returns a completion as a stream of events."""
        events = self._paced_events(completion, exchange, fault)
        return HttpResponse(200, EVENT_STREAM, events)

    def completion_response(
        self, completion: Completion, exchange: Exchange, fault: Fault
    ) -> HttpResponse:
        """Returns a completion as one body."""
        if fault.interruption == "error":
            self.wait(fault.delay)
            raise content_risk()
        duration = self._pace * len(completion.output.chunks)
        return self.json_response(
            completion.body, exchange, fault, duration, completion
        )

    def json_response(
        self,
        body: bytes,
        exchange: Exchange,
        fault: Fault,
        duration: float = 0.0,
        completion: Completion | None = None,
    ) -> HttpResponse:
        """Returns a JSON body that takes `duration` seconds, plus the fault's delay."""
        if not (fault.interruption or fault.delay or duration):
            exchange.usage = completion.usage if completion else None
            return HttpResponse(200, JSON, [body], len(body))
        parts = self._delayed_body(body, exchange, fault, duration, completion)
        return HttpResponse(200, JSON, parts)

    def recorded_response(
        self, recorded: RecordedResponse, exchange: Exchange
    ) -> HttpResponse:
        headers = {name.lower(): value for name, value in recorded.headers.items()}
        content_type = headers.pop("content-type", None)
        for name in _CONNECTION_HEADERS & headers.keys():
            del headers[name]
        is_stream = len(recorded.parts) > 1
        length = None if is_stream else len(recorded.body)
        parts = self._recorded_parts(recorded, exchange)
        return HttpResponse(recorded.status, content_type, parts, length, headers)

    def _recorded_parts(
        self, recorded: RecordedResponse, exchange: Exchange
    ) -> Iterator[bytes]:
        *parts, last = recorded.parts or [b""]
        for part in parts:
            yield part
            self.wait(recorded.pause)
        exchange.usage = recorded.usage
        exchange.is_complete = True
        yield last

    def _paced_events(
        self, completion: Completion, exchange: Exchange, fault: Fault
    ) -> Iterator[bytes]:
        yield from self._keep_alive(fault.delay, KEEP_ALIVE_COMMENT)
        *events, last = completion.events
        if fault.interruption:
            # The first event has the role and belongs to no chunk of output. Hidden
            # chunks have no event.
            end = completion.output.truncation_index(fault.after_chunks)
            chunks = completion.output.chunks[:end]
            del events[1 + sum(chunk.kind != "hidden" for chunk in chunks) :]
        for index, event in enumerate(events):
            if index:
                self.wait(self._pace)
            yield event
        if fault.interruption == "drop":
            raise ConnectionDropError
        if fault.interruption == "error":
            prefix = completion.encoder.error_prefix
            yield prefix + content_risk().body + b"\n\n"
        if fault.interruption:
            return
        self.wait(self._pace)
        exchange.usage = completion.usage
        yield last
        exchange.is_complete = True
        yield completion.encoder.done_event

    def _delayed_body(
        self,
        body: bytes,
        exchange: Exchange,
        fault: Fault,
        duration: float,
        completion: Completion | None,
    ) -> Iterator[bytes]:
        yield from self._keep_alive(fault.delay, BLANK_LINE)
        self.wait(duration)
        if fault.interruption:
            yield body[: len(body) // 2]
            if fault.interruption == "drop":
                raise ConnectionDropError
            return
        exchange.usage = completion.usage if completion else None
        exchange.is_complete = True
        yield body

    def _keep_alive(self, seconds: float, marker: bytes) -> Iterator[bytes]:
        """Waits and yields `marker` at intervals, at least twice."""
        interval = min(KEEP_ALIVE_INTERVAL, seconds / 3)
        while seconds > 0:
            self.wait(min(interval, seconds))
            seconds -= interval
            if seconds > interval / 2:
                yield marker
