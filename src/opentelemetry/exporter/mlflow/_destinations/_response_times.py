"""Recognizes a request that will probably not get a response."""

from __future__ import annotations

from collections import deque
from typing import Final

import requests

_MAX_COUNT: Final = 10
_FACTOR: Final = 3
# A server may need two seconds for a request with 200 traces.
_MIN_SECONDS: Final = 3.0


class LateResponseError(requests.ReadTimeout):
    """A response takes much longer than those before."""


class RequestInterruptedError(requests.ReadTimeout):
    """The session was closed, or the process has no time left."""


class ResponseTimes:
    """The durations of the last requests of a session, in seconds.

    A connection that a firewall has dropped, or a worker of the server that hangs,
    would cost the whole timeout, and a program that ends may not have that time. A
    request that takes three times as long as others is therefore given up early, once:
    a server that is only slow has the whole timeout for the next one.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_MAX_COUNT)
        self._is_server_slow = False

    def limit(self, timeout: float) -> float:
        """Return the seconds to wait for the next response, at most `timeout`."""
        if not self._seconds or self._is_server_slow:
            return timeout
        return min(timeout, max(_FACTOR * max(self._seconds), _MIN_SECONDS))

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)
        self._is_server_slow = False

    def add_late_response(self) -> None:
        self._is_server_slow = True
