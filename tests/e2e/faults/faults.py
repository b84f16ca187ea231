"""Faults of a server, and schedules that choose the exports they hit."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol

from .exchange import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .exchange import Exchange
    from .fault_proxy import Connection, Schedule


class Fault(Protocol):
    """What happens to one export."""

    def inject(self, exchange: Exchange, connection: Connection) -> None: ...


@dataclass(frozen=True)
class Respond:
    """A response that MLflow knows nothing of."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b'{"error_code": "INTERNAL_ERROR", "message": "a fault"}'

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        exchange.outcome = str(self.status)
        exchange.retry_after = self.headers.get("Retry-After")
        headers = {"Content-Type": "application/json"} | self.headers
        connection.send(Reply(self.status, headers, self.body))


@dataclass(frozen=True)
class RetryAtDate:
    """The status 429, with a Retry-After that is an HTTP date `seconds` ahead."""

    seconds: float

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        date = formatdate(time.time() + self.seconds, usegmt=True)
        Respond(429, {"Retry-After": date}).inject(exchange, connection)


class Hang:
    """No response: the connection stays open until the client closes it."""

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        connection.wait_for_client_to_close()


class Reset:
    """The connection is reset before MLflow gets the request."""

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        connection.reset()


class LostResponse:
    """MLflow stores the spans; the connection is reset before the response."""

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        connection.forward(exchange)
        connection.reset()


class HalfResponse:
    """MLflow stores the spans; half of the response arrives."""

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        connection.send_half(connection.forward(exchange))


@dataclass(frozen=True)
class SlowResponse:
    """MLflow stores the spans; the response arrives a byte a second."""

    interval: float = 1.0

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        reply = connection.forward(exchange)
        reply.body = reply.body.ljust(600)
        connection.send_slowly(reply, self.interval)


@dataclass(frozen=True)
class Delay:
    seconds: float

    def inject(self, exchange: Exchange, connection: Connection) -> None:
        time.sleep(self.seconds)
        reply = connection.forward(exchange)
        exchange.outcome = str(reply.status)
        connection.send(reply)


@dataclass(frozen=True)
class EveryNth:
    """The exports number n, 2n, …"""

    n: int
    fault: Fault
    _counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self, exchange: Exchange) -> Fault | None:
        return None if next(self._counter) % self.n else self.fault


@dataclass(frozen=True)
class Randomly:
    """A share of the exports, each with one of the faults, until `seconds`."""

    share: float
    faults: tuple[Fault, ...]
    seconds: float = float("inf")
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def __call__(self, exchange: Exchange) -> Fault | None:
        if exchange.elapsed > self.seconds or self._random.random() >= self.share:
            return None
        return self._random.choice(self.faults)


@dataclass(frozen=True)
class First:
    """One fault for each of the first exports, in their order."""

    faults: tuple[Fault | None, ...]
    _counter: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, exchange: Exchange) -> Fault | None:
        index = next(self._counter)
        return self.faults[index] if index < len(self.faults) else None


@dataclass(frozen=True)
class Containing:
    """Exports whose spans contain the text."""

    text: bytes
    fault: Fault

    def __call__(self, exchange: Exchange) -> Fault | None:
        return self.fault if self.text in exchange.content else None


@dataclass(frozen=True)
class LargerThan:
    """Exports whose body has more bytes."""

    limit: int
    fault: Fault = field(default_factory=lambda: Respond(413))

    def __call__(self, exchange: Exchange) -> Fault | None:
        return self.fault if len(exchange.body) > self.limit else None


@dataclass(frozen=True)
class Always:
    fault: Fault

    def __call__(self, exchange: Exchange) -> Fault | None:
        return self.fault


def no_fault(exchange: Exchange) -> Fault | None:  # of a Schedule
    return None


_: Schedule = no_fault
