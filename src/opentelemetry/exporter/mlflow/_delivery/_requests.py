"""Requests of limited size, which are split if the destination rejects them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.mlflow._destinations import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations import Destination

# A batch of the SDK's processor is one request: each request has a fixed cost.
_MAX_SPANS = 512
# A server needs about ten milliseconds for each trace in a request.
_MAX_TRACES = 200
# It takes 18 requests to find one rejected span among 512.
_MAX_SPLITS = 32


class Drop(NamedTuple):
    """The number of spans that were dropped because of `error`."""

    spans: int
    error: ExportError


class DeliveryResult(NamedTuple):
    """The number of delivered spans, and the others with the reasons."""

    delivered: int
    drops: list[Drop]


def make_requests(
    groups: Iterable[Sequence[ReadableSpan]],
) -> Iterator[list[ReadableSpan]]:
    """Combine groups of spans into as few requests as the limits allow.

    The spans of one group stay in one request, which may exceed the limits.
    """
    request: list[ReadableSpan] = []
    traces: set[int] = set()
    for group in groups:
        trace_ids = {span.context.trace_id for span in group if span.context}
        if request and (
            len(request) + len(group) > _MAX_SPANS
            or len(traces) + len(trace_ids - traces) > _MAX_TRACES
        ):
            yield request
            request, traces = [], set()
        request += group
        traces |= trace_ids
    if request:
        yield request


def deliver(
    requests: Iterable[Sequence[ReadableSpan]], destination: Destination
) -> DeliveryResult:
    """Send `requests`; split one that is rejected because of some of its spans."""
    pending = list(requests)[::-1]
    splits = 0
    delivered = 0
    drops: list[Drop] = []
    while pending:
        request = pending.pop()
        try:
            destination.send(request)
        except ExportError as error:
            if not error.is_divisible:
                # The other requests would fail for the same reason.
                drops.append(Drop(len(request) + sum(map(len, pending)), error))
                break
            if len(request) == 1 or splits == _MAX_SPLITS:
                drops.append(Drop(len(request), error))
                continue
            splits += 1
            half = len(request) // 2
            pending += [request[half:], request[:half]]
        else:
            delivered += len(request)
    return DeliveryResult(delivered, drops)
