"""What a server accepts that does not accept everything."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.exporter.conftest import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.exporter.conftest import Request


@dataclass
class AcceptedSpans:
    """Responds with `answer`, or with what it returns for a request.

    `names` are those of the spans in accepted requests, in the order of their arrival.
    """

    answer: Response | Callable[[Request], Response] = field(default_factory=Response)
    names: list[str] = field(default_factory=list[str])

    def __call__(self, request: Request) -> Response:
        response = self.answer(request) if callable(self.answer) else self.answer
        if response.status == 200 and request.path == "/v1/traces":
            self.names += request.span_names
        return response


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
