"""The interface of a destination, and the error that it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class ExportError(Exception):
    """The destination did not accept the spans.

    `cause` says why, and `advice` says what to do about it. Both are part of a log
    line, and contain no secrets.

    `is_divisible`: the destination may have rejected only some of the spans, and may
    accept the others in smaller batches. If it is false, the destination accepts
    nothing at the moment.

    `is_temporary`: the same request may be accepted later. If it is false and the error
    is divisible, a retry would fail, too.

    | is_divisible | is_temporary | what happens to the request |
    |---|---|---|
    | no | yes | it waits, and so do all others, until the destination works |
    | yes | yes | it waits alone, and is divided if it fails while others succeed |
    | yes | no | it is divided at once; a single span is dropped |

    `retry_after`: the seconds after which the destination asks to try again, or None.
    """

    def __init__(
        self,
        cause: str,
        advice: str,
        *,
        is_divisible: bool = False,
        is_temporary: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.advice = advice
        self.is_divisible = is_divisible
        self.is_temporary = is_temporary
        self.retry_after = retry_after


class ExportInterruptedError(ExportError):
    """The destination was closed, or the process has no time left."""


class Destination(Protocol):
    """Accepts translated spans.

    The constructor does not use the network. The methods are thread-safe.
    """

    @property
    def address(self) -> str:
        """The address for log lines, without secrets."""
        ...

    @property
    def wants_whole_traces(self) -> bool:
        """Whether each call of `send` should contain one complete trace.

        The trace is complete when its local root has ended. Spans that end after their
        local root come in a separate call.
        """
        ...

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send all spans or none. Raises ExportError if they are not accepted."""
        ...

    def close(self) -> None:
        """Close the connections. A `send` that runs ends soon. May be called twice."""
        ...

    def after_fork(self) -> None:
        """Drop the connections of the parent process. Called in the child process."""
        ...


class ResolvedDestination(Destination, Protocol):
    """A destination at one address."""

    def describe(self) -> str:
        """Return how traces are sent, for a log line; "" if there is one way only."""
        ...


@runtime_checkable
class TraceInfoReader(Protocol):
    """A destination whose traces can be read."""

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """See `Destination.send`."""
        ...

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        """Return the TraceInfo in its JSON form, or None if there is no such trace.

        Raises ExportError if the request fails.
        """
        ...
