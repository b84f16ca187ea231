"""Spans that MLflow can take, keep and show, whatever stands on them.

One value that cannot be sent, stored or read takes down the request it came in, or the
page of its trace. Such a value is changed as little as can be, and named in the
attribute SANITIZED with the reason.
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
    TOO_LATE,
    is_clean,
    is_time,
)
from opentelemetry.exporter.mlflow._sanitize._reserved_attributes import (
    MOST_TOKENS,
    is_unreadable,
    longest,
)
from opentelemetry.exporter.mlflow._sanitize._text import encoded, sanitize_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

SANITIZED: Final = "opentelemetry.exporter.mlflow.sanitized"

# Two levels of protobuf for each of these; a server reads 100.
_DEEPEST: Final = 16

Attributes = Mapping[str, Any]


def sanitize(span: ReadableSpan) -> ReadableSpan:
    """`span`, if it is fit; else a copy that is. Never raises."""
    if is_clean(span):
        return span
    fitting = _Fitting()
    fitted = fitting.span(span)
    return fitted if fitting.reasons else span


def _is_kept(number: float) -> bool:
    if isinstance(number, float):
        return isfinite(number)
    return -(2**63) <= number < 2**63


def _is_a_count(name: str, value: Any) -> bool:
    """One that MLflow's database cannot add up."""
    return isinstance(value, int) and abs(value) >= MOST_TOKENS and "token" in name


class _Fitting:
    """One span; `reasons` has an entry for everything that was changed."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def span(self, span: ReadableSpan) -> ReadableSpan:
        name = self.text(span.name, "the span's name")
        attributes = self.attributes(span.attributes)
        events = span.events and [self.event(event) for event in span.events]
        links = span.links and [self.link(link) for link in span.links]
        status = self.status(span.status)
        start = self.time(span.start_time, "the start")
        end = self.time(span.end_time, "the end")
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
        fitted: dict[str, Any] = {}
        for name, value in (attributes or {}).items():
            key = self.text(name, "an attribute's name")
            if is_unreadable(name, value):
                self.reasons.append(f"{key}: what MLflow cannot read has another name")
                fitted[f"{SANITIZED}.{key}"] = self.text(encoded(value), key)
            elif isinstance(value, str):
                fitted[key] = self.text(value, key, longest(name))
            elif _is_a_count(name, value):
                fitted[key] = self._changed(value, key) + " tokens"
            else:
                fitted[key] = self.value(value, key)
        return fitted

    def text(self, text: str, of: str, longest: int | None = None) -> str:
        fitted, reason = sanitize_text(text, longest)
        if reason:
            self.reasons.append(f"{of}: {reason}")
        return fitted

    def value(self, value: Any, of: str, depth: int = 0) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return self.text(value, of)
        if isinstance(value, (int, float)):
            return value if _is_kept(value) else self._changed(value, of)
        if depth < _DEEPEST and isinstance(value, (list, tuple)):
            listed = cast("Sequence[Any]", value)
            return tuple([self.value(one, of, depth + 1) for one in listed])
        if depth < _DEEPEST and isinstance(value, Mapping):
            named = cast("Mapping[str, Any]", value)
            return {
                self.text(str(key), of): self.value(one, of, depth + 1)
                for key, one in named.items()
            }
        self.reasons.append(f"{of}: made a text of {type(value).__name__}")
        return self.text(encoded(value), of)

    def _changed(self, number: float, of: str) -> str:
        self.reasons.append(f"{of}: a number beyond what MLflow keeps")
        return str(number)

    def time(self, nanoseconds: Any, of: str) -> int | None:
        """The nearest one that there is."""
        if nanoseconds is None or is_time(nanoseconds):
            return cast("int | None", nanoseconds)
        self.reasons.append(f"{of}: no time that MLflow keeps ({nanoseconds!r:.40})")
        try:
            return int(min(max(nanoseconds, 0), TOO_LATE - 1))
        except (OverflowError, TypeError, ValueError):
            return 0

    def event(self, event: Event) -> Event:
        before = len(self.reasons)
        name = self.text(event.name, "an event's name")
        attributes = self.attributes(event.attributes)
        timestamp = self.time(event.timestamp, "an event's time")
        if len(self.reasons) == before:
            return event
        return Event(name, attributes, timestamp)

    def link(self, link: Link) -> Link:
        before = len(self.reasons)
        attributes = self.attributes(link.attributes)
        return link if len(self.reasons) == before else Link(link.context, attributes)

    def status(self, status: Status) -> Status:
        if not status.description:
            return status
        description = self.text(status.description, "the status")
        return Status(status.status_code, description)

    def resource(self, resource: Resource) -> Resource:
        before = len(self.reasons)
        attributes = self.attributes(resource.attributes)
        if len(self.reasons) == before:
            return resource
        return Resource(attributes, resource.schema_url)

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """MLflow does not keep it."""
        before = len(self.reasons)
        if scope is not None:
            self.text(f"{scope.name}{scope.version}", "the scope's name")
        return scope if len(self.reasons) == before else None
