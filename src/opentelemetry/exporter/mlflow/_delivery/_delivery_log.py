"""Counts dropped spans by cause, and logs each cause of a failure."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.exporter.mlflow._delivery._metrics import DeliveryMetrics
    from opentelemetry.exporter.mlflow._delivery._requests import DeliveryResult, Drop
    from opentelemetry.exporter.mlflow._destinations import Destination, ExportError

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# A server that fails now and then must not fill the log.
_LOG_INTERVAL_SECONDS = 30.0


@dataclass
class _Cause:
    """`is_logged`: since the last success. `dropped`: not reported in a total yet."""

    last_log_time: float = -_LOG_INTERVAL_SECONDS
    is_logged: bool = False
    dropped: int = 0


class DeliveryLog:
    """The failures of one exporter. `dropped` is the number of dropped spans.

    `queue_name` says where spans wait for `destination`.
    """

    def __init__(
        self, destination: Destination, queue_name: str, metrics: DeliveryMetrics
    ) -> None:
        self._destination = destination
        self._queue_name = queue_name
        self._metrics = metrics
        self.after_fork()

    def after_fork(self) -> None:
        # A log handler may end a span, whose processor may export it at once, in the
        # same thread. The lock must be reentrant.
        self._lock = threading.RLock()
        self._causes: dict[str, _Cause] = {}
        self.dropped = 0

    def record(self, result: DeliveryResult, seconds: float) -> None:
        """Record the result of one try, which took `seconds`."""
        errors = [failure.error for failure in result.failures]
        errors += [drop.error for drop in result.drops]
        self._metrics.add_operation(seconds, errors[0].cause if errors else None)
        if result.delivered:
            self._metrics.add_exported(sum(map(len, result.delivered)))
            self._record_success()
        for failure in result.failures:
            self._warn(
                failure.error,
                f"The spans wait in {self._queue_name}, and are sent later",
            )
        self.record_drops(result.drops)

    def record_drops(self, drops: Iterable[Drop]) -> None:
        for count, error in drops:
            self._metrics.add_exported(count, error.cause)
            with self._lock:
                self.dropped += count
                self._cause(error).dropped += count
            self._warn(error, "Dropped spans are counted")

    def _record_success(self) -> None:
        """Log the end of the causes that stopped all spans."""
        with self._lock:
            recovered = [
                (name, cause) for name, cause in self._causes.items() if cause.is_logged
            ]
            for _, cause in recovered:
                cause.is_logged = False
        for name, cause in recovered:
            _logger.warning(
                "Export to MLflow at %s works again, after: %s. Dropped spans: %d",
                self._destination.address,
                name,
                cause.dropped,
            )

    def log_waiting(self, spans: int) -> None:
        _logger.warning(
            "Spans that wait in %s: %d. They are sent when a program with the same "
            "settings runs.",
            self._queue_name,
            spans,
        )

    def log_totals(self) -> None:
        with self._lock:
            causes, self._causes = self._causes, {}
        for name, cause in causes.items():
            if cause.dropped:
                _logger.warning(
                    "Spans not exported to MLflow at %s: %d (%s)",
                    self._destination.address,
                    cause.dropped,
                    name,
                )

    def _cause(self, error: ExportError) -> _Cause:
        return self._causes.setdefault(error.cause, _Cause())

    def _warn(self, error: ExportError, consequence: str) -> None:
        now = monotonic()
        with self._lock:
            cause = self._cause(error)
            is_due = now - cause.last_log_time >= _LOG_INTERVAL_SECONDS
            if cause.is_logged or not is_due:
                return
            cause.last_log_time = now
            cause.is_logged = not error.is_divisible
        _logger.warning(
            "Cannot export spans to MLflow at %s: %s. %s. %s. A cause is logged at "
            "most every %d s.",
            self._destination.address,
            error.cause,
            error.advice,
            consequence,
            _LOG_INTERVAL_SECONDS,
        )
