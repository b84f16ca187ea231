"""Spans that MLflow can take, keep and show, whatever stands on them.

One value that cannot be sent, stored or read takes down the request it came in, or the
page of its trace. Such a value is changed as little as can be, and named in the
attribute MADE_FIT with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, Status

from opentelemetry.exporter.mlflow._copied import copied
from opentelemetry.exporter.mlflow._fit._named import (
    MOST_TOKENS,
    READ,
    is_unreadable,
    longest,
)
from opentelemetry.exporter.mlflow._fit._text import (
    encoded,
    fit_text,
    has_unfit_characters,
    may_fail,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

MADE_FIT: Final = "opentelemetry.exporter.mlflow.made_fit"

# Two levels of protobuf for each of these; a server reads 100.
_DEEPEST: Final = 16
_TOO_MANY: Final = 2**63

# What is not longer is not too long for anything.
_SHORT: Final = 200

Attributes = Mapping[str, Any]


def fit(span: ReadableSpan) -> ReadableSpan:
    """`span`, if it is fit; else a copy that is. Never raises."""
    if _is_surely_fit(span):
        return span
    fitting = _Fitting()
    fitted = fitting.span(span)
    return fitted if fitting.reasons else span


def _is_surely_fit(span: ReadableSpan) -> bool:
    """As nearly all are: found out fast, all short texts at once."""
    texts = [span.name, span.status.description or ""]
    if scope := span.instrumentation_scope:
        texts += (scope.name, scope.version or "")
    each = [span.attributes]
    if span.resource is not _resource.fit:
        each.append(span.resource.attributes)
    for event in span.events:
        texts.append(event.name)
        each.append(event.attributes)
    each += (link.attributes for link in span.links)
    for attributes in each:
        if attributes and not _has_fit_values(attributes, texts):
            return False
    if has_unfit_characters("".join(texts)):
        return False
    _resource.fit = span.resource
    return True


def _are_texts(values: tuple[Any, ...]) -> bool:
    return all(type(one) is str for one in values)


def _has_fit_values(attributes: Attributes, texts: list[str]) -> bool:
    """Adds to `texts` what is to be looked at yet."""
    texts += attributes
    for name, value in attributes.items():
        if name in READ and is_unreadable(name, value):
            return False
        if type(value) is str and len(value) <= _SHORT:
            texts.append(value)
        elif type(value) is tuple and _are_texts(cast("tuple[object, ...]", value)):
            texts += value
        elif not _is_surely_fit_value(name, value):
            return False
    return True


def _is_surely_fit_value(name: str, value: Any) -> bool:
    if type(value) is str:
        return not (longest(name) or may_fail(value) or has_unfit_characters(value))
    if type(value) is int:
        return -MOST_TOKENS < value < MOST_TOKENS
    return value is True or value is False or (type(value) is float and isfinite(value))


def _is_kept(number: float) -> bool:
    if isinstance(number, float):
        return isfinite(number)
    return -(2**63) <= number < 2**63


def _is_a_count(name: str, value: Any) -> bool:
    """One that MLflow's database cannot add up."""
    return isinstance(value, int) and abs(value) >= MOST_TOKENS and "token" in name


class _Resource:
    """The last one that was fit: a process has but one."""

    fit: Resource | None = None


_resource = _Resource()


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
        resource = self.resource(span.resource)
        scope = self.scope(span.instrumentation_scope)
        if not self.reasons:
            return span
        return copied(
            span,
            name=name,
            resource=resource,
            attributes={**attributes, MADE_FIT: tuple(dict.fromkeys(self.reasons))},
            events=events,
            links=links,
            status=status,
            instrumentation_scope=scope,
        )

    def attributes(self, attributes: Attributes | None) -> dict[str, Any]:
        fitted: dict[str, Any] = {}
        for name, value in (attributes or {}).items():
            key = self.text(name, "an attribute's name")
            if is_unreadable(name, value):
                self.reasons.append(f"{key}: what MLflow cannot read has another name")
                fitted[f"{MADE_FIT}.{key}"] = self.text(encoded(value), key)
            elif isinstance(value, str):
                fitted[key] = self.text(value, key, longest(name))
            elif _is_a_count(name, value):
                fitted[key] = self._changed(value, key) + " tokens"
            else:
                fitted[key] = self.value(value, key)
        return fitted

    def text(self, text: str, of: str, longest: int | None = None) -> str:
        fitted, reason = fit_text(text, longest)
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

    def event(self, event: Event) -> Event:
        before = len(self.reasons)
        name = self.text(event.name, "an event's name")
        attributes = self.attributes(event.attributes)
        if len(self.reasons) == before:
            return event
        return Event(name, attributes, event.timestamp)

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
