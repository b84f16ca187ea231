"""An answer in time: pace, keep-alives, and the ways in which it can break off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._errors import JSON, content_risk
from ._recorded_response import EVENTS
from ._response_encoding import DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._completions import Answer
    from ._exchange import Exchange
    from ._faults import Fault
    from ._recorded_response import Recorded

KEEP_ALIVE = 12.4  # seconds between two keep-alives, as measured
COMMENT = b": keep-alive\n\n"
BLANK_LINE = b"\n"
# In a recorded answer these tell of another connection than ours.
_PER_CONNECTION = {
    "connection",
    "content-length",
    "date",
    "server",
    "transfer-encoding",
}


class DroppedError(Exception):
    """The connection is to break here."""


@dataclass
class Response:
    """A body with a length is sent at once; one without in chunks, as they come."""

    status: int
    content_type: str | None
    parts: Iterable[bytes]
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Sending:
    """`pace`: seconds between two pieces. `wait` sleeps and raises DroppedError if
    the server closes meanwhile."""

    def __init__(self, pace: float, wait: Callable[[float], None]) -> None:
        self._pace = pace
        self.wait = wait

    def stream(self, answer: Answer, exchange: Exchange, fault: Fault) -> Response:
        return Response(200, EVENTS, self._events(answer, exchange, fault))

    def answer(self, answer: Answer, exchange: Exchange, fault: Fault) -> Response:
        if fault.breaks == "error":
            self.wait(fault.slow)
            raise content_risk()
        takes = self._pace * len(answer.writing.pieces)
        return self.whole(answer.body, exchange, fault, takes, answer)

    def whole(
        self,
        body: bytes,
        exchange: Exchange,
        fault: Fault,
        takes: float = 0.0,
        answer: Answer | None = None,
    ) -> Response:
        """`takes`: seconds until it is written, without a fault."""
        if not (fault.breaks or fault.slow or takes):
            exchange.usage = answer.usage if answer else None
            return Response(200, JSON, [body], len(body))
        parts = self._late(body, exchange, fault, takes, answer)
        return Response(200, JSON, parts)

    def recorded(self, recorded: Recorded, exchange: Exchange) -> Response:
        headers = {name.lower(): value for name, value in recorded.headers.items()}
        content_type = headers.pop("content-type", None)
        for name in _PER_CONNECTION & headers.keys():
            del headers[name]
        parts = recorded.parts
        length = len(recorded.body) if len(parts) < 2 else None  # noqa: PLR2004
        paced = self._recorded(recorded, exchange)
        return Response(recorded.status, content_type, paced, length, headers)

    def _recorded(self, recorded: Recorded, exchange: Exchange) -> Iterator[bytes]:
        *before, last = recorded.parts or [b""]
        for part in before:
            yield part
            self.wait(recorded.pause)
        exchange.usage = recorded.usage
        exchange.finished = True
        yield last

    def _events(
        self, answer: Answer, exchange: Exchange, fault: Fault
    ) -> Iterator[bytes]:
        yield from self._waiting(fault.slow, COMMENT)
        *events, last = answer.events
        if fault.breaks:
            # The role comes before all pieces; some pieces are no event.
            pieces = answer.writing.pieces[: answer.writing.end_of(fault.after)]
            del events[1 + sum(piece.kind != "unseen" for piece in pieces) :]
        yield from self._paced(events, self._pace)
        if fault.breaks == "drop":
            raise DroppedError
        if fault.breaks == "error":
            yield b"data: " + content_risk().body + b"\n\n"
        if fault.breaks:
            return
        self.wait(self._pace)
        exchange.usage = answer.usage
        yield last
        exchange.finished = True
        yield DONE

    def _late(
        self,
        body: bytes,
        exchange: Exchange,
        fault: Fault,
        takes: float,
        answer: Answer | None,
    ) -> Iterator[bytes]:
        yield from self._waiting(fault.slow, BLANK_LINE)
        self.wait(takes)
        if fault.breaks:
            yield body[: len(body) // 2]
            if fault.breaks == "drop":
                raise DroppedError
            return
        exchange.usage = answer.usage if answer else None
        exchange.finished = True
        yield body

    def _waiting(self, seconds: float, mark: bytes) -> Iterator[bytes]:
        """Wait with a mark now and then, at least two."""
        interval = min(KEEP_ALIVE, seconds / 3)
        while seconds > 0:
            self.wait(min(interval, seconds))
            seconds -= interval
            if seconds > interval / 2:
                yield mark

    def _paced(self, parts: Iterable[bytes], pause: float) -> Iterator[bytes]:
        for index, part in enumerate(parts):
            if index:
                self.wait(pause)
            yield part
