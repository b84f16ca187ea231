"""Faults on demand: a small language, and who asked for which."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from ._errors import STATUSES

HEADER = "x-simulator-fault"
GRAMMAR = """\
A fault is one line of words, for example `503 times=2` or `slow=3 cut after=5`:

  400 401 402 422 429 500 503   answer with this error
  cut                           the answer ends early: no finish_reason, no usage,
                                no [DONE]; a body that is not streamed stops halfway
  drop                          the TCP connection breaks in the middle of the answer
  error                         an error event inside the stream (when not streamed:
                                the same error as a 400)
  finish=REASON                 the answer ends with this finish_reason, for example
                                insufficient_system_resource, content_filter, aborted
  slow=SECONDS                  wait before the answer, with keep-alives meanwhile;
                                alone or with one of the others
  after=N                       cut, drop, error and finish come after N pieces; else
                                in the middle of the answer, past the reasoning
  times=N                       only the first N requests; then all is well again
"""
_BREAKS = ("cut", "drop", "error")


@dataclass(frozen=True)
class Fault:
    """One line of the fault language, read."""

    text: str = ""
    status: int | None = None
    breaks: str | None = None  # "cut", "drop" or "error"
    finish: str | None = None
    slow: float = 0.0  # seconds
    after: int | None = None  # pieces; None: in the middle
    times: int | None = None  # None: always

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `text`; a ValueError names the word that is none of the language."""
        read: dict[str, Any] = {}
        for word in text.split():
            read |= _meaning(word)
        fault = cls(text=text.strip(), **read)
        asked = [fault.status, fault.breaks, fault.finish]
        if sum(one is not None for one in asked) > 1:
            raise ValueError(f"more than one fault in {text!r}: choose one")
        if asked == [None, None, None] and not fault.slow:
            raise ValueError(f"no fault in {text!r}\n\n{GRAMMAR}")
        return fault


NO_FAULT = Fault()


def _meaning(word: str) -> dict[str, Any]:
    name, _, value = word.partition("=")
    try:
        if not value and name.isdigit() and int(name) in STATUSES:
            return {"status": int(name)}
        if not value and name in _BREAKS:
            return {"breaks": name}
        if value and name == "finish":
            return {"finish": value}
        if name == "slow" and float(value) >= 0:
            return {"slow": float(value)}
        if name in ("after", "times") and int(value) >= 0:
            return {name: int(value)}
    except ValueError:
        pass
    raise ValueError(f"{word!r} is not a fault\n\n{GRAMMAR}")


class Countdown:
    """Counts `times=` down, for faults that come with every request anew.

    A client that retries sends the same request with the same header again. So the
    count belongs to that request, and starts over once it got its answer.
    """

    def __init__(self) -> None:
        self._spent: dict[object, int] = {}
        self._lock = threading.Lock()

    def applies(self, fault: Fault, request: object) -> bool:
        if fault.times is None:
            return True
        with self._lock:
            spent = self._spent.get(request, 0)
            if spent < fault.times:
                self._spent[request] = spent + 1
                return True
            self._spent.pop(request, None)
            return False
