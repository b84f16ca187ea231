"""Faults on request: their syntax, and how often each applies."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from ._errors import FAULT_STATUSES

FAULT_HEADER = "x-simulator-fault"
FAULT_SYNTAX = """\
A fault is a line of terms with spaces between them, for example `503 times=2` or
`slow=3 cut after=5`:

  400 401 402 422 429 500 503   respond with this error
  cut                           end the response early: no finish_reason, no usage,
                                no [DONE]; without streaming, the body stops halfway
  drop                          break the TCP connection during the response
  error                         send an error event in the stream; without streaming,
                                respond with the same error as for 400
  finish=REASON                 end the response with this finish_reason, for example
                                insufficient_system_resource, content_filter, aborted
  slow=SECONDS                  wait before the response and send keep-alives in the
                                meantime; may be combined with one of the above
  after=N                       apply cut, drop, error or finish after N chunks of
                                output; by default, in the middle of the answer, after
                                the reasoning
  times=N                       apply the fault to the first N requests only
"""
_INTERRUPTIONS = ("cut", "drop", "error")


@dataclass(frozen=True)
class Fault:
    """A parsed fault; `python -m examples.simulator --help` describes the syntax.

    Attributes:
        text: The line that was parsed.
        status: The HTTP status of the error to respond with, or None.
        interruption: "cut", "drop", "error" or None.
        finish_reason: The finish reason to end the response with, or None.
        delay: Seconds to wait before the response.
        after_chunks: The number of output chunks before the interruption or the
            finish reason; None means the middle of the answer.
        times: The number of requests to apply the fault to; None means all.
    """

    text: str = ""
    status: int | None = None
    interruption: str | None = None
    finish_reason: str | None = None
    delay: float = 0.0
    after_chunks: int | None = None
    times: int | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Parses one line of the fault syntax.

        Raises ValueError if a term is unknown, if there is no fault, or if there is
        more than one. The message names the term and describes the syntax.
        """
        fields: dict[str, Any] = {}
        for term in text.split():
            fields |= _parse_term(term)
        fault = cls(text=text.strip(), **fields)
        exclusive = [fault.status, fault.interruption, fault.finish_reason]
        if sum(field is not None for field in exclusive) > 1:
            raise ValueError(
                f"{text!r} must have only one fault among a status, cut, drop, error"
                " and finish"
            )
        if exclusive == [None, None, None] and not fault.delay:
            raise ValueError(f"{text!r} has no fault\n\n{FAULT_SYNTAX}")
        return fault


NO_FAULT = Fault()


def _parse_term(term: str) -> dict[str, Any]:
    """Returns the field of `Fault` that `term` sets."""
    name, _, value = term.partition("=")
    try:
        if not value and name.isdigit() and int(name) in FAULT_STATUSES:
            return {"status": int(name)}
        if not value and name in _INTERRUPTIONS:
            return {"interruption": name}
        if value and name == "finish":
            return {"finish_reason": value}
        if name == "slow" and float(value) >= 0:
            return {"delay": float(value)}
        if name == "after" and int(value) >= 0:
            return {"after_chunks": int(value)}
        if name == "times" and int(value) >= 0:
            return {"times": int(value)}
    except ValueError:
        pass
    raise ValueError(f"{term!r} is not a fault\n\n{FAULT_SYNTAX}")


class HeaderFaultCounter:
    """Counts the uses of faults with `times=` that arrive as request headers.

    A client that retries sends the same request with the same header again.
    Therefore each request has its own count, which restarts once the request got a
    response without the fault.
    """

    def __init__(self) -> None:
        self._uses: dict[object, int] = {}
        self._lock = threading.Lock()

    def use(self, fault: Fault, request: object) -> bool:
        """Counts one use and returns whether `fault` still applies to `request`.

        `request` is a hashable value that identifies the request.
        """
        if fault.times is None:
            return True
        with self._lock:
            uses = self._uses.get(request, 0)
            if uses < fault.times:
                self._uses[request] = uses + 1
                return True
            self._uses.pop(request, None)
            return False
