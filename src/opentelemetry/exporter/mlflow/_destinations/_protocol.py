"""What a destination is, and what it says when spans did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class ExportError(Exception):
    """Spans did not arrive: `cause`, and `advice` on what to do about it.

    `is_divisible`: some of the spans may be at fault, and fewer of them at a time may
    arrive. Neither text has a secret in it.
    """

    def __init__(self, cause: str, advice: str, *, is_divisible: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.advice = advice
        self.is_divisible = is_divisible


class Destination(Protocol):
    """Where spans go. Made without touching the network; used from any thread."""

    @property
    def address(self) -> str:
        """For people to read; no secret in it."""
        ...

    @property
    def wants_whole_traces(self) -> bool:
        """Whether each `send` is to bring one trace, whole: up to its local root.

        What ends after its local root comes in a `send` of its own.
        """
        ...

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """All of them or none. Raises ExportError."""
        ...

    def close(self) -> None:
        """Makes a waiting `send` give up; more than once is fine."""
        ...

    def after_fork(self) -> None:
        """In the child: lets go of connections that are the parent's."""
        ...


@runtime_checkable
class TraceInfoReader(Protocol):
    """Of a destination that can be asked what it has."""

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """As of any `Destination`."""
        ...

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        """The row of a trace, and None if there is none. Raises ExportError."""
        ...
