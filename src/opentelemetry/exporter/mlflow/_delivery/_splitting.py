"""Batches on their way to a destination: small, and divided when one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.mlflow._destinations import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations import Destination

# What the SDK's processor gives at once, as one request: each has a price of its own.
_MOST_SPANS = 512
# A server takes some ten milliseconds for every trace of a request.
_MOST_TRACES = 200
# Finding one span among 512 takes 18 requests.
_MOST_DIVISIONS = 32


class Loss(NamedTuple):
    spans: int
    why: ExportError


class Delivery(NamedTuple):
    """`arrived` spans, and the rest with the reasons."""

    arrived: int
    losses: list[Loss]


def batches(
    together: Iterable[Sequence[ReadableSpan]],
) -> Iterator[list[ReadableSpan]]:
    """As few as can be; what came together stays together, and may make a large one."""
    batch: list[ReadableSpan] = []
    traces: set[int] = set()
    for spans in together:
        ids = {span.context.trace_id for span in spans if span.context}
        if batch and (
            len(batch) + len(spans) > _MOST_SPANS
            or len(traces) + len(ids - traces) > _MOST_TRACES
        ):
            yield batch
            batch, traces = [], set()
        batch += spans
        traces |= ids
    if batch:
        yield batch


def deliver(requests: Iterable[Sequence[ReadableSpan]], to: Destination) -> Delivery:
    """Of a request that is refused for some of its spans, the others arrive."""
    waiting = list(requests)[::-1]
    divisions = 0
    arrived = 0
    losses: list[Loss] = []
    while waiting:
        part = waiting.pop()
        try:
            to.send(part)
        except ExportError as why:
            if not why.is_divisible:
                # The next request would have the same fate.
                losses.append(Loss(len(part) + sum(map(len, waiting)), why))
                break
            if len(part) == 1 or divisions == _MOST_DIVISIONS:
                losses.append(Loss(len(part), why))
                continue
            divisions += 1
            half = len(part) // 2
            waiting += [part[half:], part[:half]]
        else:
            arrived += len(part)
    return Delivery(arrived, losses)
