"""What the quickstart says in the end, and whether it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.otlp_receiver import Span
    from examples.quickstart._trace import RecordedTrace
    from examples.simulator import Exchange


@dataclass(frozen=True)
class Finding:
    subject: str
    text: str
    holds: bool = True


def say(subject: str, text: str) -> None:
    """Prints `subject` in a column of its own, before the first line of `text`."""
    for row in text.splitlines():
        print(f"{subject:<9} {row}".rstrip(), flush=True)
        subject = ""


def headline(trace: RecordedTrace) -> str:
    asked = (trace.request or "").replace("\n", "\n  ")
    answered = (trace.response or "").replace("\n", "\n  ")
    return (
        f"“{trace.name}”: {trace.state}, user {trace.user}, session {trace.session}\n"
        f"> {asked}\n"
        f"< {answered}"
    )


def presentable(uri: str) -> str:
    """Without the user and password that it may hold."""
    return re.sub("//[^/]*@", "//", uri)


def address(tracking_uri: str, trace: RecordedTrace) -> str:
    """The page that shows the trace, or how to get one."""
    tracking_uri = presentable(tracking_uri)
    if urlsplit(tracking_uri).scheme not in {"http", "https"}:
        return (
            f"mlflow server --backend-store-uri {tracking_uri}, then {trace.trace_id}"
        )
    return (
        f"{tracking_uri.rstrip('/')}/#/experiments/{trace.experiment_id}"
        f"/traces/{trace.trace_id}"
    )


def priced(trace: RecordedTrace) -> Finding:
    """Where the costs come from."""
    if trace.total.cost is None:
        return Finding("Cost", "no price is known for the model")
    return Finding("Cost", "DeepSeek's price at the moment of each call")


def billed(exchanges: Sequence[Exchange], trace: RecordedTrace) -> Finding:
    """Does the trace count what the simulator has counted?"""
    usages = [exchange.usage for exchange in exchanges if exchange.usage]
    counted = tuple(
        sum(usage[name] for usage in usages)
        for name in ("prompt_tokens", "prompt_cache_hit_tokens", "completion_tokens")
    )
    holds = counted == (trace.total.input, trace.total.cached, trace.total.output)
    return Finding(
        "DeepSeek",
        "billed {:,} tokens in ({:,} cached) and {:,} out, ".format(*counted)
        + ("as the trace says" if holds else "which is NOT what the trace says"),
        holds,
    )


def arrived(spans: Sequence[Span], trace: RecordedTrace) -> Finding:
    """Did the OTLP receiver get the spans that MLflow has, untouched?"""
    same = [span for span in spans if span.trace_id == trace.otel_trace_id]
    marked = {
        name for span in spans for name in span.attributes if name.startswith("mlflow.")
    }
    text = f"{len(same)} spans arrived with the trace id {trace.otel_trace_id}"
    if len(same) != len(trace.spans):
        text += f", but MLflow has {len(trace.spans)}"
    if marked:
        text += f", but with MLflow's {', '.join(sorted(marked))}"
    return Finding("OTLP", text, not marked and len(same) == len(trace.spans))
