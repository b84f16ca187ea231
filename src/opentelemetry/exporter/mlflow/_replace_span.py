"""Spans with something changed: other exporters see the ones they were made of."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

_ARGUMENTS = (
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
    """`changes` are arguments of ReadableSpan, which has no method for this."""
    for name in _ARGUMENTS:
        if name not in changes:
            # Each read is a copy, too.
            changes[name] = getattr(span, name)
    return ReadableSpan(**changes)
