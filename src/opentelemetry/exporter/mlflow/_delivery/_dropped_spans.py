"""What was lost, and why: counted, and said once."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._delivery._splitting import Delivery
    from opentelemetry.exporter.mlflow._destinations import (
        Destination,
        ExportError,
    )

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


@dataclass
class _Cause:
    why: ExportError
    count: int = 0


class Losses:
    """On the way to `destination`; `total` is the spans lost so far."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self.forget()

    def forget(self) -> None:
        # A handler of the log may end a span, and export it here and now.
        self._lock = threading.RLock()
        self._causes: dict[str, _Cause] = {}
        self.total = 0

    def note(self, delivery: Delivery) -> None:
        with self._lock:
            if delivery.arrived:
                self._recovered()
            for count, why in delivery.losses:
                self.total += count
                cause = self._causes.get(why.cause)
                if cause is None:
                    cause = self._causes[why.cause] = _Cause(why)
                    _logger.warning(
                        "Spans do not reach MLflow at %s: %s. %s. (This is said once; "
                        "spans that are lost are counted.)",
                        self._destination.address,
                        why.cause,
                        why.advice,
                    )
                cause.count += count

    def _recovered(self) -> None:
        """What was in the way of all spans is not any more."""
        for name, cause in list(self._causes.items()):
            if not cause.why.is_divisible:
                del self._causes[name]
                _logger.warning(
                    "Spans reach MLflow at %s again; lost: %d (%s)",
                    self._destination.address,
                    cause.count,
                    name,
                )

    def sum_up(self) -> None:
        with self._lock:
            causes, self._causes = self._causes, {}
            for name, cause in causes.items():
                _logger.warning(
                    "Spans lost on the way to MLflow at %s: %d (%s)",
                    self._destination.address,
                    cause.count,
                    name,
                )
