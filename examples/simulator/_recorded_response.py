"""Answers recorded elsewhere, to be served as they are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import JSON, OCTETS, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class Recorded:
    """An answer given byte for byte.

    `headers` are added to those that every answer of DeepSeek has; `pause` are the
    seconds between two events of a stream.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    pause: float = 0.0

    @classmethod
    def read(cls, path: Path | str, *, pause: float = 0.0) -> Recorded:
        """A file named like the samples in tests/deepseek_samples.

        `error_503.json` is a 503, `stream_plain.sse` a stream, all else a 200.
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
        """The token counts in the body; of several the last."""
        text = self.body.decode(errors="replace")
        _, found, rest = text.rpartition('"usage":{')
        try:
            usage: dict[str, Any] = json.JSONDecoder().raw_decode("{" + rest)[0]
        except ValueError:
            return None
        return usage if found else None

    @property
    def parts(self) -> list[bytes]:
        """The body in pieces, one for each event."""
        if self.body.startswith((b"data:", b"event:", b":")):
            return re.findall(rb".*?\n\n|.+$", self.body, re.DOTALL)
        return [self.body] if self.body else []


def _content_type(name: str) -> str | None:
    if name.endswith(".sse"):
        return EVENTS
    if name.endswith(".json") or name.startswith("nonstream"):
        # The JSON parser's 400 says that it is JSON; those after it do not.
        business = name.startswith("error_400") and "serde" not in name
        return OCTETS if business else JSON
    return None if name.startswith("error_401") else TEXT
