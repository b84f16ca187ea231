"""Formats a span as one line of text."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examples.otlp_receiver._decode import Span


def format_span(span: Span) -> str:
    """Returns the start time, duration, tokens, trace id and name of a span."""
    start = datetime.fromtimestamp(span.start_ns / 1e9, timezone.utc).astimezone()
    counts = [
        str(span.attributes[f"gen_ai.usage.{direction}_tokens"])
        for direction in ("input", "output")
        if f"gen_ai.usage.{direction}_tokens" in span.attributes
    ]
    tokens = " → ".join(counts) + " tokens" if counts else ""
    error = f"  {span.status} {span.status_message}" if span.status == "ERROR" else ""
    return (
        f"{start:%H:%M:%S}  {span.seconds:7.3f} s  {tokens:>20}  {span.trace_id}  "
        f"{span.name}{error}"
    )
