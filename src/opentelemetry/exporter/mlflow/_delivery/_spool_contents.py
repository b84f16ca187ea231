"""What waits in a spool, for a command that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._delivery._spool_access import SpoolAccess
from opentelemetry.exporter.mlflow._delivery._spool_database import FILE_NAME

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._delivery._request_queue import QueueState
    from opentelemetry.exporter.mlflow._delivery._spool_settings import SpoolSettings


def spool_contents(settings: SpoolSettings) -> dict[str, QueueState]:
    """Return what waits for each destination. Nothing is dropped.

    Raises SpoolUnavailableError if the database cannot be read.
    """
    if not (settings.folder / FILE_NAME).exists():
        return {}
    access = SpoolAccess(settings.folder, float("inf"), _ignore)
    try:
        return access.run(lambda transaction: transaction.states())
    finally:
        access.close()


def _ignore(_span_count: int, _reason: str) -> None:
    """Nothing is dropped."""
