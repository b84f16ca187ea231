"""Whether a destination accepts requests, and when it is tried again."""

from __future__ import annotations

import random
from time import monotonic
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._destinations import ExportInterruptedError

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._destinations import ExportError

_FIRST_DELAY_SECONDS = 1.0
_MAX_DELAY_SECONDS = 30.0
# The delays of many processes spread, so that a server that starts is not overrun.
_JITTER = 0.2
# A server, or a proxy, may ask for a time that no program lives to see.
_MAX_RETRY_AFTER_SECONDS = 60.0
# A server that answers each request with an error that may concern only this request.
_MAX_FAILURES_IN_A_ROW = 5


class Availability:
    """The state of one destination.

    `error` is the last one, or None. `failures` is their number since the last success.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the failures."""
        self.error: ExportError | None = None
        self.failures = 0
        self._delays = 0
        self._next_try = self._retry_after = 0.0

    @property
    def is_available(self) -> bool:
        return not self._delays

    def record_success(self) -> None:
        self.reset()

    def record_failure(self, error: ExportError) -> None:
        self.failures += 1
        # The end of the process is not the reason why spans still wait at its end.
        if self.error is None or not isinstance(error, ExportInterruptedError):
            self.error = error
        if error.is_divisible and self.failures < _MAX_FAILURES_IN_A_ROW:
            return
        self._delays += 1
        now = monotonic()
        if error.retry_after is not None:
            self._retry_after = now + min(error.retry_after, _MAX_RETRY_AFTER_SECONDS)
        self._next_try = max(now + _delay(self._delays), self._retry_after)

    def seconds_until_try(self, *, is_urgent: bool = False) -> float:
        """Return the seconds until the next try, 0 if it is due.

        `is_urgent`: the process ends; wait only if the destination has asked for it.
        """
        time = self._retry_after if is_urgent else self._next_try
        return max(time - monotonic(), 0.0)


def request_delay() -> float:
    """Return the seconds after which a request that failed alone is sent again."""
    return _delay(1)


def _delay(number: int) -> float:
    delay = min(_FIRST_DELAY_SECONDS * 2.0 ** min(number - 1, 10), _MAX_DELAY_SECONDS)
    return delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # not for security
