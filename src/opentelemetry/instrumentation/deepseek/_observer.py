"""The interface through which wrappers of SDK objects report to an invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class InvocationObserver(Protocol):
    """Receives what an application reads of a response.

    `end` and `fail` may be called more than once; the first call counts. No method
    raises.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

    def record(self, result: Any) -> Any:
        """Records what the SDK returned; returns what the application gets instead."""
        ...

    def record_body(self, body: bytes | bytearray) -> None:
        """Records the complete body of a response and ends."""
        ...

    def on_chunk(self, chunk: Any) -> None:
        """Records a chunk of a stream."""
        ...

    def on_stream_end(self) -> None:
        """Ends after the server has ended the stream."""
        ...

    def on_stream_dropped(self) -> None:
        """Ends after the application has dropped a stream without closing it."""
        ...

    def end(self) -> None:
        """Ends a response that is complete, or that the application has closed."""
        ...

    def fail(self, error: BaseException) -> None:
        """Ends with an error."""
        ...
