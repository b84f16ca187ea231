"""Creates the queue that the settings select."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.mlflow._config import parse_bytes, read_setting
from opentelemetry.exporter.mlflow._delivery._memory_queue import MemoryQueue
from opentelemetry.exporter.mlflow._delivery._requests import Drop
from opentelemetry.exporter.mlflow._delivery._spool import Spool
from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES,
    OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE,
    OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        OnDrop,
        RequestQueue,
    )
    from opentelemetry.exporter.mlflow._delivery._spool_settings import SpoolSettings

_DEFAULT_BUFFER_MAX_BYTES = 64 * 2**20

_BUFFER_ADVICE = f"Increase {OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES}"
_SPOOL_ADVICE = (
    f"Increase {OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES} or "
    f"{OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE}"
)


class NamedQueue(NamedTuple):
    """A queue, and its name for log lines."""

    queue: RequestQueue
    name: str


def create_queue(
    buffer_max_bytes: int | None,
    spool: SpoolSettings | None,
    *,
    target: Callable[[], str],
    record_drop: Callable[[Drop], None],
) -> NamedQueue:
    """Return a queue in memory, or a spool that falls back to it.

    `target` returns the name of the destination. `record_drop` is called if the queue
    drops spans.

    Raises ValueError if `buffer_max_bytes`, or the environment variable, is not a
    number greater than 0.
    """
    max_bytes = parse_bytes(
        read_setting(
            buffer_max_bytes, "buffer_max_bytes", OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES
        ),
        _DEFAULT_BUFFER_MAX_BYTES,
    )

    def on_drop(advice: str) -> OnDrop:
        return lambda spans, reason: record_drop(
            Drop(spans, ExportError(reason, advice))
        )

    buffer = MemoryQueue(max_bytes, on_drop(_BUFFER_ADVICE))
    if spool is None:
        return NamedQueue(buffer, f"memory (at most {max_bytes // 2**20} MiB)")
    queue = Spool(
        spool.folder,
        target,
        max_bytes=spool.max_bytes,
        max_age_seconds=spool.max_age_seconds,
        on_drop=on_drop(_SPOOL_ADVICE),
        fallback=buffer,
    )
    return NamedQueue(queue, f"the spool in {spool.folder}")
