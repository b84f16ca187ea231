"""A fast check whether a span needs no change. Nearly all spans pass it."""

from __future__ import annotations

from math import isfinite
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.exporter.mlflow._sanitize._reserved_attributes import (
    NUMBER_LIMIT,
    RESERVED_ATTRIBUTES,
    is_unreadable,
    max_length,
)
from opentelemetry.exporter.mlflow._sanitize._text import (
    MAX_TEXT_LENGTH,
    has_invalid_characters,
    is_unreadable_json,
    may_be_unreadable_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

# In nanoseconds. OTLP has no negative times, and MLflow's database has 64 bits with a
# sign.
MAX_TIME: Final = 2**63 - 1

# No attribute has a maximum length below this.
_LENGTH_ALWAYS_ALLOWED: Final = 200


class _ResourceCache:
    """The last resource that passed. A process usually has only one."""

    clean: Resource | None = None


_resource_cache = _ResourceCache()


def is_clean(span: ReadableSpan) -> bool:
    """Whether MLflow can take the span unchanged. False if in doubt."""
    if not (is_valid_time(span.start_time) and is_valid_time(span.end_time)):
        return False
    texts = [span.name, span.status.description or ""]
    if scope := span.instrumentation_scope:
        texts += (scope.name, scope.version or "")
    all_attributes = [span.attributes]
    if span.resource is not _resource_cache.clean:
        all_attributes.append(span.resource.attributes)
    for event in span.events:
        if not is_valid_time(event.timestamp):
            return False
        texts.append(event.name)
        all_attributes.append(event.attributes)
    for link in span.links:
        all_attributes.append(link.attributes)  # noqa: PERF401  # usually there are no links, and a loop over none is faster
    for attributes in all_attributes:
        if attributes and not _are_clean_attributes(attributes, texts):
            return False
    if not _are_clean_texts(texts):
        return False
    _resource_cache.clean = span.resource
    return True


def _are_clean_texts(texts: list[str]) -> bool:
    # One check of the joined text is faster than a check of each text.
    text = "".join(texts)
    if len(text) > MAX_TEXT_LENGTH or has_invalid_characters(text):
        return False
    return not (may_be_unreadable_json(text) and any(map(is_unreadable_json, texts)))


def _are_clean_attributes(attributes: Mapping[str, Any], texts: list[str]) -> bool:
    """Check the attributes, except their texts, which are added to `texts`."""
    texts += attributes
    for name, value in attributes.items():
        if name in RESERVED_ATTRIBUTES and is_unreadable(name, value):
            return False
        if type(value) is str:
            if len(value) > _LENGTH_ALWAYS_ALLOWED and max_length(name):
                return False
            texts.append(value)
        elif type(value) is tuple and _are_texts(cast("tuple[object, ...]", value)):
            texts += value
        elif not _is_clean_number(value):
            return False
    return True


def _is_clean_number(value: Any) -> bool:
    if type(value) is int:
        return -NUMBER_LIMIT < value < NUMBER_LIMIT
    return value is True or value is False or (type(value) is float and isfinite(value))


def _are_texts(values: tuple[Any, ...]) -> bool:
    return all(type(value) is str for value in values)


def is_valid_time(nanoseconds: Any) -> bool:
    # Nearly all times are of type int, and that test is the faster one. The other one
    # accepts NumPy's integers.
    is_integer = type(nanoseconds) is int or isinstance(nanoseconds, Integral)
    return is_integer and 0 <= int(nanoseconds) <= MAX_TIME
