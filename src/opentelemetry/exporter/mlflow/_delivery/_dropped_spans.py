"""Counts dropped spans by cause, and logs each cause once."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._delivery._requests import DeliveryResult
    from opentelemetry.exporter.mlflow._destinations import Destination, ExportError

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


@dataclass
class _Cause:
    error: ExportError
    count: int = 0


class DroppedSpans:
    """The spans that did not reach `destination`; `total` is their number."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self.after_fork()

    def after_fork(self) -> None:
        # A log handler may end a span, whose processor may export it at once, in the
        # same thread. The lock must be reentrant.
        self._lock = threading.RLock()
        self._causes: dict[str, _Cause] = {}
        self.total = 0

    def record(self, result: DeliveryResult) -> None:
        with self._lock:
            if result.delivered:
                self._log_recovery()
            for count, error in result.drops:
                self.total += count
                cause = self._causes.get(error.cause)
                if cause is None:
                    cause = self._causes[error.cause] = _Cause(error)
                    _logger.warning(
                        "Cannot export spans to MLflow at %s: %s. %s. This cause is "
                        "logged once; dropped spans are counted.",
                        self._destination.address,
                        error.cause,
                        error.advice,
                    )
                cause.count += count

    def _log_recovery(self) -> None:
        """Log the end of the causes that stopped all spans."""
        for name, cause in list(self._causes.items()):
            if not cause.error.is_divisible:
                del self._causes[name]
                _logger.warning(
                    "Export to MLflow at %s works again. Dropped spans: %d (%s)",
                    self._destination.address,
                    cause.count,
                    name,
                )

    def log_totals(self) -> None:
        with self._lock:
            causes, self._causes = self._causes, {}
            for name, cause in causes.items():
                _logger.warning(
                    "Spans not exported to MLflow at %s: %d (%s)",
                    self._destination.address,
                    cause.count,
                    name,
                )
