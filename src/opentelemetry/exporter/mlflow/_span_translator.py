"""Translates one span for MLflow: mapping, cost, failure event, redaction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link

from opentelemetry.exporter.mlflow._config import read_setting
from opentelemetry.exporter.mlflow._content._redacted_span import (
    RedactedSpan,
    redact_span,
)
from opentelemetry.exporter.mlflow._fluent_api._span_processors import process_span
from opentelemetry.exporter.mlflow._mapping import SPAN_TYPE, map_attributes
from opentelemetry.exporter.mlflow._mapping._message_events import with_event_messages
from opentelemetry.exporter.mlflow._pricing._call_cost import COST
from opentelemetry.exporter.mlflow._trace_info._previews import answer_of, question_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    from opentelemetry.exporter.mlflow._content._redaction import Redaction
    from opentelemetry.exporter.mlflow._fluent_api._span_settings import SpanFunctions
    from opentelemetry.exporter.mlflow._pricing import PriceList
    from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_COMPLETION_HOOK = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"


class TranslatedSpan(NamedTuple):
    """What MLflow gets of one span.

    `question` and `answer` are the texts of its inputs and outputs, None if the mapping
    has not read them. `cost` is the cost that the price list gives it.
    """

    name: str
    attributes: dict[str, Any]
    events: Sequence[Event]
    status: Status
    links: Sequence[Link]
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
        self._has_logged_missing_content = False

    def translate(
        self, span: ReadableSpan, functions: SpanFunctions = ()
    ) -> TranslatedSpan:
        """`functions` are those that the program has configured in MLflow."""
        events = span.events
        attributes, inputs, outputs = map_attributes(
            with_event_messages(span.attributes, events) if events else span.attributes
        )
        if inputs is None and attributes.get(SPAN_TYPE) == "CHAT_MODEL":
            self._log_missing_content()
        cost = None
        if self._prices and COST not in attributes:
            cost = self._prices.cost(attributes, span.start_time)
            if cost is not None:
                cost.write_to(attributes)
        if not span.status.is_ok:
            events = [*events, *_failure_events(span)]
        if self._redaction is None and not functions:
            # Texts, because the values of a whole batch make garbage collections slow.
            question = None if inputs is None else question_of(inputs)
            answer = None if outputs is None else answer_of(outputs)
            return TranslatedSpan(
                span.name,
                attributes,
                events,
                span.status,
                span.links,
                question,
                answer,
                cost,
            )
        # The texts would not be redacted.
        values = RedactedSpan(span.name, attributes, list(events), span.status)
        if functions:
            values = process_span(functions, span, values)
        if self._redaction is not None:
            values = redact_span(self._redaction, *values)
        # The functions do not get the attributes of links.
        links = [Link(link.context) for link in span.links]
        return TranslatedSpan(*values, links, cost=cost)

    def _log_missing_content(self) -> None:
        if self._has_logged_missing_content:
            return
        self._has_logged_missing_content = True
        setting = read_setting(None, "", _CAPTURE).value
        if (setting or "").upper() != "NO_CONTENT":
            is_decided = setting or read_setting(None, "", _COMPLETION_HOOK).value
            _logger.log(
                logging.INFO if is_decided else logging.WARNING,
                "A model call has no message content, so MLflow shows no request and "
                "no response. To record content, set %s to SPAN_ONLY or "
                "SPAN_AND_EVENT. NO_CONTENT keeps it off without this message, which "
                "is logged once.",
                _CAPTURE,
            )


def _failure_events(span: ReadableSpan) -> list[Event]:
    """MLflow's page marks a span as failed by an exception event, not by its status.

    Current GenAI conventions write the exception to the log and not to the span.
    """
    if any(event.name == "exception" for event in span.events):
        return []
    error_type = str((span.attributes or {}).get("error.type", "error"))
    attributes = {
        "exception.type": error_type,
        "exception.message": span.status.description or error_type,
    }
    return [Event("exception", attributes, span.end_time)]
