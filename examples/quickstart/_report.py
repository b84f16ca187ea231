"""The output of the quickstart and the checks of the recorded trace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.otlp_receiver import Span
    from examples.quickstart._recorded_trace import RecordedTrace
    from examples.simulator import Exchange


@dataclass(frozen=True)
class Check:
    subject: str
    text: str
    passed: bool = True


def print_row(subject: str, text: str) -> None:
    """Prints `subject` in the first column and the lines of `text` in the second."""
    for line in text.splitlines():
        print(f"{subject:<9} {line}".rstrip(), flush=True)
        subject = ""


def headline(trace: RecordedTrace) -> str:
    request = (trace.request or "").replace("\n", "\n  ")
    response = (trace.response or "").replace("\n", "\n  ")
    return (
        f"“{trace.name}”: {trace.state}, user {trace.user}, session {trace.session}\n"
        f"> {request}\n"
        f"< {response}"
    )


def redact_credentials(uri: str) -> str:
    """Returns the URI without user and password."""
    return re.sub("//[^/]*@", "//", uri)


def trace_url(tracking_uri: str, trace: RecordedTrace) -> str:
    """Returns the URL of the trace, or the command that starts a server for it."""
    tracking_uri = redact_credentials(tracking_uri)
    if urlsplit(tracking_uri).scheme not in {"http", "https"}:
        return (
            f"mlflow server --backend-store-uri {tracking_uri}, then {trace.trace_id}"
        )
    return (
        f"{tracking_uri.rstrip('/')}/#/experiments/{trace.experiment_id}"
        f"/traces/{trace.trace_id}"
    )


def check_cost(trace: RecordedTrace) -> Check:
    """Reports how the cost was calculated; passes also without a cost."""
    if trace.total.cost is None:
        return Check("Cost", "unknown, because no price is known for the model")
    return Check("Cost", "DeepSeek's price at the time of each call")


def check_tokens(exchanges: Sequence[Exchange], trace: RecordedTrace) -> Check:
    """Compares the tokens of the trace with those that the simulator counted."""
    usages = [exchange.usage for exchange in exchanges if exchange.usage]
    billed = tuple(
        sum(usage[name] for usage in usages)
        for name in ("prompt_tokens", "prompt_cache_hit_tokens", "completion_tokens")
    )
    passed = billed == (trace.total.input, trace.total.cached, trace.total.output)
    return Check(
        "DeepSeek",
        "billed {:,} tokens in ({:,} cached) and {:,} out, ".format(*billed)
        + ("as in the trace" if passed else "which is NOT what the trace has"),
        passed,
    )


def check_received_spans(spans: Sequence[Span], trace: RecordedTrace) -> Check:
    """Checks that the OTLP receiver has the spans of MLflow, without its attributes."""
    received = [span for span in spans if span.trace_id == trace.otel_trace_id]
    mlflow_attributes = {
        name for span in spans for name in span.attributes if name.startswith("mlflow.")
    }
    text = f"received {len(received)} spans with the trace id {trace.otel_trace_id}"
    if len(received) != len(trace.spans):
        text += f", but MLflow has {len(trace.spans)}"
    if mlflow_attributes:
        text += f", but with MLflow's {', '.join(sorted(mlflow_attributes))}"
    passed = not mlflow_attributes and len(received) == len(trace.spans)
    return Check("OTLP", text, passed)
