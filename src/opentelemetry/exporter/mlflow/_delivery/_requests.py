"""Requests of limited size, which are split if the destination rejects them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.exporter.mlflow._trace_info._trace_data import by_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations import Destination

# A batch of the SDK's processor is one request: each request has a fixed cost.
_MAX_SPANS = 512
# A server needs about ten milliseconds for each trace in a request.
_MAX_TRACES = 200
# It takes 18 requests to find one rejected span or trace among 512 spans.
_MAX_SPLITS = 64


class Drop(NamedTuple):
    """The number of spans that were dropped because of `error`."""

    spans: int
    error: ExportError


class Failure(NamedTuple):
    """Spans of one request that were not accepted, and may be accepted later."""

    spans: Sequence[ReadableSpan]
    error: ExportError


class DeliveryResult(NamedTuple):
    """The parts of a request that were delivered, and the others with the reasons."""

    delivered: list[Sequence[ReadableSpan]]
    failures: list[Failure]
    drops: list[Drop]


def make_requests(
    groups: Iterable[Sequence[ReadableSpan]],
    target_of: Callable[[Sequence[ReadableSpan]], Hashable] = lambda _: None,
) -> Iterator[list[ReadableSpan]]:
    """Combine groups of spans into as few requests as the limits allow.

    The spans of one group stay in one request, which may exceed the limits. A request
    has one experiment and one run. `target_of` returns those of a group.
    """
    groups_by_target: dict[Hashable, list[Sequence[ReadableSpan]]] = {}
    for group in groups:
        groups_by_target.setdefault(target_of(group), []).append(group)
    for groups_of_target in groups_by_target.values():
        yield from _limited_requests(groups_of_target)


def _limited_requests(
    groups: Iterable[Sequence[ReadableSpan]],
) -> Iterator[list[ReadableSpan]]:
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
    request: Sequence[ReadableSpan], destination: Destination
) -> DeliveryResult:
    """Send `request`; split it if it is rejected because of some of its spans."""
    pending = [request]
    splits = 0
    delivered: list[Sequence[ReadableSpan]] = []
    failures: list[Failure] = []
    drops: list[Drop] = []
    while pending:
        part = pending.pop()
        try:
            destination.send(part)
        except ExportError as error:
            if not error.is_divisible:
                # The other parts would fail for the same reason.
                failures += [Failure(part, error) for part in (part, *pending[::-1])]
                break
            if error.is_temporary:
                failures.append(Failure(part, error))
            elif len(part) == 1 or splits == _MAX_SPLITS:
                drops.append(Drop(len(part), error))
            else:
                splits += 1
                pending += halves(part)[::-1]
        else:
            delivered.append(part)
    return DeliveryResult(delivered, failures, drops)


def halves(
    spans: Sequence[ReadableSpan],
) -> tuple[Sequence[ReadableSpan], Sequence[ReadableSpan]]:
    """Divide a request of at least two spans; between two traces, if it has several.

    A server may reject a trace as a whole: MLflow 3.18 does so if the trace belongs to
    another experiment.
    """
    half = len(spans) // 2
    traces = list(by_trace(spans).values())
    if len(traces) == 1:
        return spans[:half], spans[half:]
    first: list[ReadableSpan] = []
    second: list[ReadableSpan] = []
    *traces, last = traces
    for trace in traces:
        (first if len(first) < half else second).extend(trace)
    return first, [*second, *last]


def internal_error(error: Exception) -> ExportError:
    """Return the error to record for an exception of this package or of MLflow."""
    return ExportError(
        f"an internal error of the exporter ({type(error).__name__})",
        "Please report it, with the version of mlflow",
    )
