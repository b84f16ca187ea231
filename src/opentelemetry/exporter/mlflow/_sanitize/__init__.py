"""Changes values of spans that MLflow cannot receive, store or show.

One such value makes MLflow refuse the whole request, or breaks the page of its trace.
It is changed as little as possible. The span attribute SANITIZED lists each change with
its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, Status

from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._sanitize._fast_check import (
    MAX_TIME,
    is_clean,
    is_valid_time,
)
from opentelemetry.exporter.mlflow._sanitize._reserved_attributes import (
    NUMBER_LIMIT,
    is_unreadable,
    max_length,
)
from opentelemetry.exporter.mlflow._sanitize._text import sanitize_text, to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

SANITIZED: Final = "opentelemetry.exporter.mlflow.sanitized"

# Protobuf needs two levels for each level of a value, and a server reads 100.
_MAX_DEPTH: Final = 16

Attributes = Mapping[str, Any]


def sanitize(span: ReadableSpan) -> ReadableSpan:
    """Return `span` if MLflow can take it, else a changed copy. Never raises."""
    if is_clean(span):
        return span
    sanitizer = _Sanitizer()
    sanitized = sanitizer.span(span)
    return sanitized if sanitizer.reasons else span


def _is_storable(number: float) -> bool:
    if isinstance(number, float):
        return isfinite(number)
    return -(2**63) <= number < 2**63


def _is_excessive_token_count(name: str, value: Any) -> bool:
    """Whether `value` is a token count that MLflow's database cannot add up."""
    return isinstance(value, int) and abs(value) >= NUMBER_LIMIT and "token" in name


class _Sanitizer:
    """Sanitizes one span. Each change adds an entry to `reasons`.

    Its methods take a part of the span, and `label`, the name of that part in the
    reason.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def span(self, span: ReadableSpan) -> ReadableSpan:
        name = self.text(span.name, "span name")
        attributes = self.attributes(span.attributes)
        events = span.events and [self.event(event) for event in span.events]
        links = span.links and [self.link(link) for link in span.links]
        status = self.status(span.status)
        start = self.time(span.start_time, "start time")
        end = self.time(span.end_time, "end time")
        resource = self.resource(span.resource)
        scope = self.scope(span.instrumentation_scope)
        if not self.reasons:
            return span
        return replace_span(
            span,
            name=name,
            resource=resource,
            attributes={**attributes, SANITIZED: tuple(dict.fromkeys(self.reasons))},
            events=events,
            links=links,
            status=status,
            start_time=start,
            end_time=end,
            instrumentation_scope=scope,
        )

    def attributes(self, attributes: Attributes | None) -> dict[str, Any]:
        sanitized: dict[str, Any] = {}
        for name, value in (attributes or {}).items():
            key = self.text(name, "attribute name")
            if is_unreadable(name, value):
                self.reasons.append(f"{key}: renamed, because MLflow cannot read it")
                sanitized[f"{SANITIZED}.{key}"] = self.text(to_text(value), key)
            elif isinstance(value, str):
                sanitized[key] = self.text(value, key, max_length(name))
            elif _is_excessive_token_count(name, value):
                # The word keeps MLflow from reading the text as a number.
                sanitized[key] = self._number_to_text(value, key) + " tokens"
            else:
                sanitized[key] = self.value(value, key)
        return sanitized

    def text(self, text: str, label: str, max_length: int | None = None) -> str:
        sanitized, reason = sanitize_text(text, max_length)
        if reason:
            self.reasons.append(f"{label}: {reason}")
        return sanitized

    def value(self, value: Any, label: str, depth: int = 0) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return self.text(value, label)
        if isinstance(value, (int, float)):
            return value if _is_storable(value) else self._number_to_text(value, label)
        if depth < _MAX_DEPTH and isinstance(value, (list, tuple)):
            items = cast("Sequence[Any]", value)
            return tuple([self.value(item, label, depth + 1) for item in items])
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            mapping = cast("Mapping[str, Any]", value)
            return {
                self.text(str(key), label): self.value(item, label, depth + 1)
                for key, item in mapping.items()
            }
        self.reasons.append(f"{label}: {type(value).__name__} converted to text")
        return self.text(to_text(value), label)

    def _number_to_text(self, number: float, label: str) -> str:
        self.reasons.append(f"{label}: number that MLflow cannot store")
        return str(number)

    def time(self, nanoseconds: Any, label: str) -> int | None:
        """Return the nearest valid time."""
        if nanoseconds is None or is_valid_time(nanoseconds):
            return cast("int | None", nanoseconds)
        self.reasons.append(f"{label}: invalid time ({nanoseconds!r:.40})")
        try:
            return int(min(max(nanoseconds, 0), MAX_TIME))
        except (OverflowError, TypeError, ValueError):
            return 0

    def event(self, event: Event) -> Event:
        previous_reasons = len(self.reasons)
        name = self.text(event.name, "event name")
        attributes = self.attributes(event.attributes)
        timestamp = self.time(event.timestamp, "event time")
        if len(self.reasons) == previous_reasons:
            return event
        return Event(name, attributes, timestamp)

    def link(self, link: Link) -> Link:
        previous_reasons = len(self.reasons)
        attributes = self.attributes(link.attributes)
        if len(self.reasons) == previous_reasons:
            return link
        return Link(link.context, attributes)

    def status(self, status: Status) -> Status:
        if not status.description:
            return status
        description = self.text(status.description, "status description")
        return Status(status.status_code, description)

    def resource(self, resource: Resource) -> Resource:
        previous_reasons = len(self.reasons)
        attributes = self.attributes(resource.attributes)
        if len(self.reasons) == previous_reasons:
            return resource
        return Resource(attributes, resource.schema_url)

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """Return None for an invalid scope: MLflow does not store scopes."""
        previous_reasons = len(self.reasons)
        if scope is not None:
            self.text(f"{scope.name}{scope.version}", "scope name")
        return scope if len(self.reasons) == previous_reasons else None
