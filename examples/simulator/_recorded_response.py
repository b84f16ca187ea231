"""Recorded responses, which the simulator serves byte for byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import JSON, OCTET_STREAM, PLAIN_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class RecordedResponse:
    """A response to serve byte for byte.

    Attributes:
        status: The HTTP status.
        headers: Headers in addition to those of every response of DeepSeek.
            Headers that describe a connection, such as `content-length`, are
            ignored.
        body: The body, as bytes.
        pause: Seconds between two events of a stream.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    pause: float = 0.0

    @classmethod
    def from_file(cls, path: Path | str, *, pause: float = 0.0) -> RecordedResponse:
        """Reads a file that is named like the samples in tests/deepseek_samples.

        The name decides on status and content type: `error_503.json` is a 503,
        `stream_plain.sse` a stream, and any other file a 200. `pause` is the number
        of seconds between two events.

        Raises OSError if the file cannot be read.
        """
        path = Path(path)
        status = re.match(r"error_(\d{3})", path.name)
        content_type = _content_type(path.name)
        return cls(
            int(status[1]) if status else 200,
            {"content-type": content_type} if content_type else {},
            path.read_bytes(),
            pause,
        )

    @property
    def usage(self) -> dict[str, Any] | None:
        """The last `usage` object in the body; None if there is none."""
        text = self.body.decode(errors="replace")
        _, separator, remainder = text.rpartition('"usage":{')
        try:
            usage: dict[str, Any] = json.JSONDecoder().raw_decode("{" + remainder)[0]
        except ValueError:
            return None
        return usage if separator else None

    @property
    def parts(self) -> list[bytes]:
        """The body split into server-sent events; one part if it is not a stream."""
        if self.body.startswith((b"data:", b"event:", b":")):
            return re.findall(rb".*?\n\n|.+$", self.body, re.DOTALL)
        return [self.body] if self.body else []


def _content_type(name: str) -> str | None:
    if name.endswith(".sse"):
        return EVENT_STREAM
    if name.endswith(".json") or name.startswith("nonstream"):
        # The 400 of the JSON parser (serde) has the content type of JSON. The 400 of
        # a check after parsing does not.
        is_validation_error = name.startswith("error_400") and "serde" not in name
        return OCTET_STREAM if is_validation_error else JSON
    return None if name.startswith("error_401") else PLAIN_TEXT
