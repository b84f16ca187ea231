"""Copies of spans with changed fields. Other exporters see the original spans."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

_FIELDS = (
    "name",
    "context",
    "parent",
    "resource",
    "attributes",
    "events",
    "links",
    "kind",
    "status",
    "start_time",
    "end_time",
    "instrumentation_scope",
)


def replace_span(span: ReadableSpan, **changes: Any) -> ReadableSpan:
    """Return a copy of the span, like `dataclasses.replace()`.

    `changes` are arguments of ReadableSpan, which has no such method.
    """
    for name in _FIELDS:
        if name not in changes:
            # Some of these properties copy the value. Each is read only if needed.
            changes[name] = getattr(span, name)
    return ReadableSpan(**changes)
