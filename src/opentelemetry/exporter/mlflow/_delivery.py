"""Batches on their way to a destination: small, and divided when one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.mlflow._destination import UndeliveredError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destination import Destination

# A server takes some ten milliseconds for every trace of a request.
_MOST_SPANS = 200
# Finding one span among 200 takes 16 requests.
_MOST_DIVISIONS = 32


class Loss(NamedTuple):
    spans: int
    why: UndeliveredError


class Delivery(NamedTuple):
    """`arrived` spans, and the rest with the reasons."""

    arrived: int
    losses: list[Loss]


def deliver(spans: Sequence[ReadableSpan], to: Destination) -> Delivery:
    """Of a batch that is refused for some of its spans, the others arrive."""
    starts = range(0, len(spans), _MOST_SPANS)
    waiting = [spans[start : start + _MOST_SPANS] for start in reversed(starts)]
    divisions = 0
    arrived = 0
    losses: list[Loss] = []
    while waiting:
        part = waiting.pop()
        try:
            to.send(part)
        except UndeliveredError as why:
            if not why.divisible:
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
