"""Reads a response body from the bytes that an application receives."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from ._suppress import log_suppressed, suppress_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._observer import InvocationObserver

_IDENTITY: Final = frozenset({"", "identity"})
# The size of the window of each encoding that Python's standard library decodes. Some
# servers send `deflate` without the header of zlib, which is the second one.
# https://docs.python.org/3/library/zlib.html#zlib.decompress
_ZLIB_WINDOWS: Final[Mapping[str, tuple[int, ...]]] = {
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
    "gzip": (16 + zlib.MAX_WBITS,),
}
# How the lines of an event stream start. A body in JSON starts with a bracket.
_EVENT_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_LONGEST_EVENT_FIELD: Final = 6


def parse_body(body: bytes | bytearray | str) -> dict[str, Any] | None:
    """Parses a body; returns None if it is not a JSON object.

    The application gets the error when it parses the body.
    """
    with suppress(ValueError, RecursionError):
        value = json.loads(body)
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
    return None


class ResponseBody:
    """Reports the events of a stream one by one, and another body at its end.

    Args:
        headers: the headers of the response; names match in any case.
        observer: receives what the body holds.
    """

    def __init__(
        self, headers: Mapping[str, str], observer: InvocationObserver
    ) -> None:
        self._observer = observer
        content_type = headers.get("content-type", "").lower()
        # None until the first bytes show it: some gateways send another content type.
        self._is_event_stream = True if "event-stream" in content_type else None
        self._encoding = headers.get("content-encoding", "").lower()
        self._decompressor: Any = None
        self._is_readable = True
        self._buffer = bytearray()

    def on_encoded_bytes(self, piece: bytes) -> None:
        """Reads bytes that the HTTP client has not decoded."""
        if self._encoding in _IDENTITY:
            self.on_bytes(piece)
        elif self._is_readable:
            try:
                self.on_bytes(self._decompress(piece))
            except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
                self._is_readable = False
                log_suppressed("decoding bytes of a body", error)

    def _decompress(self, piece: bytes) -> bytes:
        if self._decompressor is not None:
            return bytes(self._decompressor.decompress(piece))
        *others, last = _ZLIB_WINDOWS[self._encoding]
        for window in others:
            with suppress(zlib.error):
                self._decompressor = zlib.decompressobj(window)
                return bytes(self._decompressor.decompress(piece))
        self._decompressor = zlib.decompressobj(last)
        return bytes(self._decompressor.decompress(piece))

    def on_bytes(self, piece: bytes) -> None:
        """Reads decoded bytes."""
        # Not `with suppress_errors(…)`: some programs read a byte at a time.
        try:
            self._buffer += piece
            if self._is_event_stream is None:
                self._detect_event_stream()
            if self._is_event_stream and b"\n" in piece:
                self._report_lines()
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading bytes of a body", error)

    def _detect_event_stream(self) -> None:
        start = self._buffer.lstrip()[:_LONGEST_EVENT_FIELD]
        if start.startswith(_EVENT_FIELDS):
            self._is_event_stream = True
        elif start.startswith(b"{") or len(start) == _LONGEST_EVENT_FIELD:
            self._is_event_stream = False

    def _report_lines(self) -> None:
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and (chunk := parse_body(line[5:])):
                self._observer.on_chunk(chunk)

    def on_text(self, piece: str, encoding: str) -> None:
        """Reads text that the HTTP client has decoded with `encoding`."""
        with suppress_errors("reading text of a body"):
            self.on_bytes(piece.encode(encoding, "replace"))

    def on_end(self) -> None:
        """Ends the invocation after the last byte."""
        if not self._is_readable:
            self._observer.end()
        elif self._is_event_stream:
            self.on_bytes(b"\n")  # ends the last line
            self._observer.on_stream_end()
        else:
            self._record_buffer()

    def on_close(self) -> None:
        """Ends the invocation when the application has closed the response."""
        if self._is_event_stream:
            self._observer.end()
        else:
            self._record_buffer()

    def on_drop(self) -> None:
        """Ends the invocation when the application has dropped the response."""
        if self._is_event_stream:
            self._observer.on_stream_dropped()
        else:
            self._record_buffer()

    def record(self, body: bytes) -> None:
        """Reads a whole, decoded body."""
        self.on_bytes(body)
        self.on_end()

    def _record_buffer(self) -> None:
        buffer, self._buffer = self._buffer, bytearray()
        self._observer.record_body(buffer)
