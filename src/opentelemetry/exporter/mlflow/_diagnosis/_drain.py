"""Sends what waits in the spool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from opentelemetry.exporter.mlflow._delivery._encoded_spans import (
    decode_request,
    encode_request,
)
from opentelemetry.exporter.mlflow._destinations import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        QueuedRequest,
        RequestQueue,
    )
    from opentelemetry.exporter.mlflow._destinations import Destination

_UNREADABLE = ExportError(
    "a request in the spool cannot be read",
    "The disk may be damaged",
    is_divisible=True,
)


@dataclass
class DrainResult:
    """The number of spans that were sent, and of those that were rejected.

    `error` is the last one, None if there was none. Rejected spans stay in the spool.
    """

    sent: int = 0
    rejected: int = 0
    error: ExportError | None = None


def drain(queue: RequestQueue, destination: Destination) -> DrainResult:
    """Send what waits, the oldest first, until the destination accepts nothing."""
    result = DrainResult()
    # They stay claimed, so that `take` does not return them again.
    rejected: list[QueuedRequest] = []
    while queued := queue.take(is_urgent=True):
        spans = _decode(queued)
        error = _send(spans, destination) if spans else _UNREADABLE
        if error is None:
            queue.replace(queued, [])
            result.sent += len(spans)
        elif error.is_divisible and len(spans) > 1:
            half = len(spans) // 2
            queue.replace(
                queued, list(map(encode_request, (spans[:half], spans[half:])))
            )
        else:
            rejected.append(queued)
            result.error = error
            if not error.is_divisible:
                break
            result.rejected += queued.request.span_count
    for queued in rejected:
        queue.release(queued, attempts=queued.attempts + 1, delay=0)
    return result


def _decode(queued: QueuedRequest) -> list[ReadableSpan]:
    """Return nothing if the request cannot be read."""
    try:
        return decode_request(queued.request)
    except DecodeError:
        return []


def _send(
    spans: Sequence[ReadableSpan], destination: Destination
) -> ExportError | None:
    try:
        destination.send(spans)
    except ExportError as error:
        return error
    return None
