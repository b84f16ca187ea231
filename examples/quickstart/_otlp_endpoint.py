"""A local OTLP endpoint: a receiver, behind a collector if one is installed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from examples.otelcol import Collector, CollectorError, find_collector
from examples.otlp_receiver import OtlpReceiver, format_span
from examples.quickstart._report import print_row

if TYPE_CHECKING:
    from contextlib import ExitStack


def start_receiver(stack: ExitStack) -> tuple[OtlpReceiver, str]:
    """Starts the servers; returns the receiver and the endpoint to export to.

    They run until `stack` is closed.
    """
    receiver = stack.enter_context(
        OtlpReceiver(on_span=lambda span: print_row("OTLP", format_span(span)))
    )
    print_row(
        "OTLP",
        f"receiver at {receiver.endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT is not set)",
    )
    try:
        program = find_collector()
        if program is None:
            return receiver, receiver.endpoint
        folder = stack.enter_context(tempfile.TemporaryDirectory("-otelcol"))
        collector = stack.enter_context(
            Collector(
                program,
                Path(folder),
                *("agent.yaml", "without-content.yaml"),
                BACKEND_OTLP_ENDPOINT=receiver.endpoint,
                # The agent exports to MLflow itself, without the collector.
                OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
            )
        )
    except CollectorError as error:
        print_row("", f"The collector is not used: {error}")
        return receiver, receiver.endpoint
    print_row("", f"behind a collector at {collector.endpoint} that removes content")
    return receiver, collector.endpoint


def wait_for_spans(receiver: OtlpReceiver, count: int) -> None:
    """Waits up to 5 s, because a collector batches spans for a second."""
    deadline = time.monotonic() + 5
    while len(receiver.spans) < count and time.monotonic() < deadline:
        time.sleep(0.05)
