"""Reads a response body from the bytes that an application receives."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._observer import InvocationObserver

# The encodings that Python's standard library decodes, and the size of the window that
# detects both of them: https://docs.python.org/3/library/zlib.html#zlib.decompress
_ZLIB_ENCODINGS: Final = frozenset({"deflate", "gzip"})
_ZLIB_WINDOW: Final = 32 + zlib.MAX_WBITS


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
        self._is_event_stream = "event-stream" in headers.get("content-type", "")
        self._encoding = headers.get("content-encoding", "identity").lower()
        self._decompressor: Any = None
        self._is_readable = True
        self._buffer = bytearray()

    def on_encoded_bytes(self, piece: bytes) -> None:
        """Reads bytes that the HTTP client has not decoded."""
        with suppress_errors("decoding bytes of a body"):
            if self._encoding in _ZLIB_ENCODINGS:
                if self._decompressor is None:
                    self._decompressor = zlib.decompressobj(_ZLIB_WINDOW)
                self.on_bytes(self._decompressor.decompress(piece))
            elif self._encoding == "identity":
                self.on_bytes(piece)
            else:
                self._is_readable = False

    def on_bytes(self, piece: bytes) -> None:
        """Reads decoded bytes."""
        with suppress_errors("reading bytes of a body"):
            self._buffer += piece
            if self._is_event_stream and b"\n" in piece:
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
            self._observer.record_body(self._buffer)

    def record(self, body: bytes) -> None:
        """Reads a whole, decoded body."""
        self.on_bytes(body)
        self.on_end()
