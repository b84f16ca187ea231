"""Values that MLflow cannot receive, store or show, and spans with such values."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize

CONTEXT = SpanContext(1, 2, is_remote=False)


def make_span(attributes=None, **arguments):
    defaults = {"name": "a", "context": CONTEXT, "resource": Resource({})}
    return ReadableSpan(attributes=attributes or {}, **defaults | arguments)


def sanitize_value(value, name="a"):
    """The sanitized value of an attribute, and the reasons of the changes."""
    attributes = dict(sanitize(make_span({name: value})).attributes)
    reasons = attributes.pop(SANITIZED, ())
    (sanitized,) = attributes.values()
    return sanitized, reasons


def nested_tuple(depth):
    value = "x"
    for _ in range(depth):
        value = (value,)
    return value


MALFORMED_VALUES = {
    "single surrogate": "x\ud800y",
    "single surrogate in JSON": r'{"a": "\ud800"}',
    "surrogate pair": "\ud83d\ude00",
    "NUL": "x\0y",
    "NUL in JSON": r'{"a": "x\u0000y"}',
    "NUL in a key": r'{"\u0000": NaN}',
    "NaN": float("nan"),
    "infinity": (1.0, float("-inf")),
    "large number": 2**70,
    "bytes": b"\xff\0",
    "object": {"a": (float("inf"), b"x")},
    "deep nesting": nested_tuple(18),
}
