"""Whether a span is fit as it is: nearly all are, and it is found out fast."""

from __future__ import annotations

from math import isfinite
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.exporter.mlflow._sanitize._reserved_attributes import (
    MOST_TOKENS,
    READ,
    is_unreadable,
    longest,
)
from opentelemetry.exporter.mlflow._sanitize._text import (
    LONGEST,
    fails_as_json,
    has_unfit_characters,
    may_fail,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

TOO_LATE: Final = 2**63  # nanoseconds
# What is not longer is not too long for anything.
_SHORT: Final = 200


class _Resource:
    """The last one that was fit: a process has but one."""

    fit: Resource | None = None


_resource = _Resource()


def is_clean(span: ReadableSpan) -> bool:
    if not (is_time(span.start_time) and is_time(span.end_time)):
        return False
    texts = [span.name, span.status.description or ""]
    if scope := span.instrumentation_scope:
        texts += (scope.name, scope.version or "")
    each = [span.attributes]
    if span.resource is not _resource.fit:
        each.append(span.resource.attributes)
    for event in span.events:
        if not is_time(event.timestamp):
            return False
        texts.append(event.name)
        each.append(event.attributes)
    for link in span.links:
        each.append(link.attributes)  # noqa: PERF401  # there are none, and this is fast
    for attributes in each:
        if attributes and not _has_fit_values(attributes, texts):
            return False
    if not _are_fit(texts):
        return False
    _resource.fit = span.resource
    return True


def _are_fit(texts: list[str]) -> bool:
    """All are looked at at once."""
    text = "".join(texts)
    if len(text) > LONGEST or has_unfit_characters(text):
        return False
    return not (may_fail(text) and any(map(fails_as_json, texts)))


def _has_fit_values(attributes: Mapping[str, Any], texts: list[str]) -> bool:
    """Adds to `texts` what is to be looked at yet."""
    texts += attributes
    for name, value in attributes.items():
        if name in READ and is_unreadable(name, value):
            return False
        if type(value) is str:
            if len(value) > _SHORT and longest(name):
                return False
            texts.append(value)
        elif type(value) is tuple and _are_texts(cast("tuple[object, ...]", value)):
            texts += value
        elif not _is_fit_number(value):
            return False
    return True


def _is_fit_number(value: Any) -> bool:
    if type(value) is int:
        return -MOST_TOKENS < value < MOST_TOKENS
    return value is True or value is False or (type(value) is float and isfinite(value))


def _are_texts(values: tuple[Any, ...]) -> bool:
    return all(type(one) is str for one in values)


def is_time(nanoseconds: Any) -> bool:
    """OTLP has no sign for them, and MLflow's database no more bits."""
    # The first is most, and fast; NumPy's whole numbers are of the second.
    is_whole = type(nanoseconds) is int or isinstance(nanoseconds, Integral)
    return is_whole and 0 <= int(nanoseconds) < TOO_LATE
