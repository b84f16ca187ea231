"""What stands in for a company's OpenTelemetry: a receiver behind a collector."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from examples.otelcol import Collector, CollectorError, find_collector
from examples.otlp_receiver import OtlpReceiver, format_span
from examples.quickstart._report import say

if TYPE_CHECKING:
    from contextlib import ExitStack


def receiving(held: ExitStack) -> tuple[OtlpReceiver, str]:
    """The receiver, and the endpoint of what leads to it; both as long as `held`."""
    receiver = held.enter_context(
        OtlpReceiver(on_span=lambda span: say("OTLP", format_span(span)))
    )
    say("OTLP", f"a receiver, {receiver.endpoint}: no OTEL_EXPORTER_OTLP_ENDPOINT set")
    try:
        program = find_collector()
        if program is None:
            return receiver, receiver.endpoint
        folder = held.enter_context(tempfile.TemporaryDirectory("-otelcol"))
        collector = held.enter_context(
            Collector(
                program,
                Path(folder),
                *("agent.yaml", "without-content.yaml"),
                BACKEND_OTLP_ENDPOINT=receiver.endpoint,
                # The agent's exporter reaches MLflow itself.
                OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
            )
        )
    except CollectorError as error:
        say("", f"The collector is left out: {error}")
        return receiver, receiver.endpoint
    say("", f"and before it a collector, {collector.endpoint}, that withholds content")
    return receiver, collector.endpoint


def wait_for(receiver: OtlpReceiver, spans: int) -> None:
    """For a collector gathers spans for a second before it sends them on."""
    ends = time.monotonic() + 5
    while len(receiver.spans) < spans and time.monotonic() < ends:
        time.sleep(0.05)
