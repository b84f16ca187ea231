"""One span in MLflow's words, with what it cost, and without what must not leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Status

from opentelemetry.exporter.mlflow._mapping import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping._message_events import with_messages
from opentelemetry.exporter.mlflow._pricing import COST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._content._redaction import Redaction
    from opentelemetry.exporter.mlflow._pricing import PriceList

_MESSAGE = "exception.message"


class Said(NamedTuple):
    attributes: dict[str, Any]
    events: Sequence[Event]
    status: Status


class SpanTranslator:
    """How one exporter says things.

    Without `prices` it says nothing of cost; without `redaction`, all it knows.
    """

    def __init__(
        self, prices: PriceList | None = None, redaction: Redaction | None = None
    ) -> None:
        self._prices = prices
        self._redaction = redaction

    def said(self, span: ReadableSpan) -> Said:
        events = span.events
        attributes = mlflow_attributes(
            with_messages(span.attributes, events) if events else span.attributes
        )
        if self._prices and COST not in attributes:
            cost = self._prices.cost(attributes, span.start_time)
            if cost is not None:
                attributes[COST] = cost
        if not span.status.is_ok:
            events = [*events, *_failure(span)]
        if self._redaction is None:
            return Said(attributes, events, span.status)
        return Said(
            self._redaction(attributes),
            [
                Event(
                    event.name,
                    self._redaction(dict(event.attributes or {})),
                    event.timestamp,
                )
                for event in events
            ],
            self._redacted(span.status, self._redaction),
        )

    @staticmethod
    def _redacted(status: Status, redaction: Redaction) -> Status:
        """The description is an exception's message, and goes under its name."""
        if not status.description:
            return status
        words = redaction({_MESSAGE: status.description}).get(_MESSAGE)
        return Status(status.status_code, None if words is None else str(words))


def _failure(span: ReadableSpan) -> list[Event]:
    """MLflow's page marks a span as failed by an exception event, not by its status.

    The conventions of today write such an exception to the log, and not on the span.
    """
    if any(event.name == "exception" for event in span.events):
        return []
    error = str((span.attributes or {}).get("error.type", "error"))
    found = {"exception.type": error, _MESSAGE: span.status.description or error}
    return [Event("exception", found, span.end_time)]
