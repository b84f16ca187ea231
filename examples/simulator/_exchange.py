"""What was asked and what was answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._faults import NO_FAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._faults import Fault


@dataclass
class Exchange:
    """One request and its answer, as both went over the wire.

    `answer` grows while it is sent. `usage` and `finished` are set before the last byte
    leaves: a client that has its answer finds them complete.
    """

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    status: int = 0
    answer: bytes = field(default=b"", repr=False)
    usage: Mapping[str, Any] | None = None
    trace_id: str = ""  # x-ds-trace-id
    fault: Fault = NO_FAULT
    finished: bool = False  # False while it is sent, and for good if it broke off

    @property
    def json(self) -> Any:
        """The body parsed; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def key(self) -> str:
        """The API key that was sent; empty if there is none."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""
