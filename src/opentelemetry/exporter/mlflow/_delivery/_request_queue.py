"""The interface of a queue of requests that could not be sent yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class EncodedRequest(NamedTuple):
    """Spans as they are sent: a serialized OTLP ExportTraceServiceRequest."""

    body: bytes
    span_count: int


@dataclass(frozen=True)
class QueuedRequest:
    """A request in the queue that the caller has claimed: nobody else sends it.

    `attempts` is how often the destination has rejected it.
    """

    id: int
    request: EncodedRequest
    attempts: int


class QueueState(NamedTuple):
    """What waits in the queue.

    `oldest_age` is the age of the oldest request in seconds, 0 if there is none.
    """

    span_count: int
    byte_count: int
    oldest_age: float


# Called with the number of spans that the queue dropped, and the reason.
OnDrop: TypeAlias = "Callable[[int, str], None]"


class RequestQueue(Protocol):
    """A bounded queue. The methods are thread-safe and do not raise.

    A queue serves one destination. If it is full, it drops the oldest requests and
    reports them.
    """

    @property
    def is_persistent(self) -> bool:
        """Whether requests in the queue survive the end of the process."""
        ...

    def put(self, request: EncodedRequest) -> QueuedRequest:
        """Add a request at the end of the queue, claimed by the caller."""
        ...

    def take(self, *, is_urgent: bool = False) -> QueuedRequest | None:
        """Claim the oldest request that is due, or return None.

        `is_urgent`: return the request that is due first, even if it is not due yet,
        because the process ends.
        """
        ...

    def release(self, queued: QueuedRequest, *, attempts: int, delay: float) -> None:
        """Give the claim back. `take` returns the request after `delay` seconds."""
        ...

    def replace(self, queued: QueuedRequest, parts: Sequence[EncodedRequest]) -> None:
        """Remove a claimed request, and add `parts` instead, unclaimed, in one step.

        The parts are due at once, and have the attempts of the request. No parts: the
        request is removed because it was delivered or dropped.
        """
        ...

    def seconds_until_due(self) -> float | None:
        """Return the seconds until `take` returns a request, or None if there is none.

        Requests that others have claimed do not count.
        """
        ...

    def state(self) -> QueueState: ...

    def discard(self) -> int:
        """Remove the unclaimed requests that are only in memory.

        Returns the number of their spans.
        """
        ...

    def close(self) -> None:
        """Store what is in memory on disk, if there is one."""
        ...

    def after_fork(self) -> None:
        """Called in a forked child. It must not send what its parent has put."""
        ...
