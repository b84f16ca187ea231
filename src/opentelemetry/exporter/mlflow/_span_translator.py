"""Translates one span for MLflow: mapping, cost, failure event, redaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Status

from opentelemetry.exporter.mlflow._mapping import map_attributes
from opentelemetry.exporter.mlflow._mapping._message_events import with_event_messages
from opentelemetry.exporter.mlflow._pricing._call_cost import COST
from opentelemetry.exporter.mlflow._trace_info._previews import answer_of, question_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._content._redaction import Redaction
    from opentelemetry.exporter.mlflow._pricing import PriceList
    from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost

_EXCEPTION_MESSAGE = "exception.message"


class TranslatedSpan(NamedTuple):
    """What MLflow gets of one span.

    `question` and `answer` are the texts of its inputs and outputs, None if the mapping
    has not read them. `cost` is the cost that the price list gives it.
    """

    attributes: dict[str, Any]
    events: Sequence[Event]
    status: Status
    question: str | None = None
    answer: str | None = None
    cost: CallCost | None = None


class SpanTranslator:
    """The translation of one exporter.

    Without `prices` no cost is added. Without `redaction` nothing is removed.
    """

    def __init__(
        self, prices: PriceList | None = None, redaction: Redaction | None = None
    ) -> None:
        self._prices = prices
        self._redaction = redaction

    def translate(self, span: ReadableSpan) -> TranslatedSpan:
        events = span.events
        attributes, inputs, outputs = map_attributes(
            with_event_messages(span.attributes, events) if events else span.attributes
        )
        cost = None
        if self._prices and COST not in attributes:
            cost = self._prices.cost(attributes, span.start_time)
            if cost is not None:
                cost.write_to(attributes)
        if not span.status.is_ok:
            events = [*events, *_failure_events(span)]
        if self._redaction is None:
            # Texts, because the values of a whole batch make garbage collections slow.
            question = None if inputs is None else question_of(inputs)
            answer = None if outputs is None else answer_of(outputs)
            return TranslatedSpan(
                attributes, events, span.status, question, answer, cost
            )
        # The texts would not be redacted.
        return TranslatedSpan(
            self._redaction(attributes),
            [_redact_event(event, self._redaction) for event in events],
            _redact_status(span.status, self._redaction),
            cost=cost,
        )


def _redact_event(event: Event, redaction: Redaction) -> Event:
    return Event(event.name, redaction(dict(event.attributes or {})), event.timestamp)


def _redact_status(status: Status, redaction: Redaction) -> Status:
    """The description is the message of an exception, and is passed under its name."""
    if not status.description:
        return status
    message = redaction({_EXCEPTION_MESSAGE: status.description}).get(
        _EXCEPTION_MESSAGE
    )
    return Status(status.status_code, None if message is None else str(message))


def _failure_events(span: ReadableSpan) -> list[Event]:
    """MLflow's page marks a span as failed by an exception event, not by its status.

    Current GenAI conventions write the exception to the log and not to the span.
    """
    if any(event.name == "exception" for event in span.events):
        return []
    error_type = str((span.attributes or {}).get("error.type", "error"))
    attributes = {
        "exception.type": error_type,
        _EXCEPTION_MESSAGE: span.status.description or error_type,
    }
    return [Event("exception", attributes, span.end_time)]
