"""A span as one line of text."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examples.otlp_receiver._decode import Span


def line(span: Span) -> str:
    """Time, duration, tokens, trace id, name."""
    began = datetime.fromtimestamp(span.start_ns / 1e9, timezone.utc).astimezone()
    counts = [
        str(span.attributes[f"gen_ai.usage.{side}_tokens"])
        for side in ("input", "output")
        if f"gen_ai.usage.{side}_tokens" in span.attributes
    ]
    tokens = " → ".join(counts) + " tokens" if counts else ""
    failed = f"  {span.status} {span.status_message}" if span.status == "ERROR" else ""
    return (
        f"{began:%H:%M:%S}  {span.seconds:7.3f} s  {tokens:>20}  {span.trace_id}  "
        f"{span.name}{failed}"
    )
