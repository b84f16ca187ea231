"""Spans with what MLflow cannot take, and what is made of them."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize

CONTEXT = SpanContext(1, 2, is_remote=False)


def span(attributes=None, **more):
    given = {"name": "a", "context": CONTEXT, "resource": Resource({})} | more
    return ReadableSpan(attributes=attributes or {}, **given)


def fitted(value, name="a"):
    """The attribute as it is sent, and what is said of it."""
    attributes = dict(sanitize(span({name: value})).attributes)
    reasons = attributes.pop(SANITIZED, ())
    (kept,) = attributes.values()
    return kept, reasons


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = (value,)
    return value


CHANGED = {
    "half a character": "x\ud800y",
    "half a character in JSON": r'{"a": "\ud800"}',
    "both halves": "\ud83d\ude00",
    "NUL": "x\0y",
    "NUL in JSON": r'{"a": "x\u0000y"}',
    "NUL in a key": r'{"\u0000": NaN}',
    "not a number": float("nan"),
    "infinite": (1.0, float("-inf")),
    "too large": 2**70,
    "bytes": b"\xff\0",
    "an object": {"a": (float("inf"), b"x")},
    "nested": nested(18),
}
