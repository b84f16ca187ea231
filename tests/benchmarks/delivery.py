"""Measures how fast the MLflow exporter and the OTLP exporter deliver to MLflow.

    python -m tests.benchmarks.delivery [--pairs 7] [--spans 1000]

`MlflowSpanExporter` and OpenTelemetry's `OTLPSpanExporter` send the same spans, in
batches of 512, to one MLflow server with SQLite. A pair is one export by each. The
order alternates, because the machine has slow moments and the second export finds a
larger database. The ratio of a pair is above 1 if the MLflow exporter is faster. The
table has the median of all ratios and their interquartile range.

The CPU time is that of this process and, on Linux, of the server. It depends less than
the elapsed time on other processes of the machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import sys
import time
import urllib.request
from pathlib import Path
from statistics import harmonic_mean, mean, median, quantiles
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from examples.quickstart.mlflow_server import MlflowServer
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.benchmarks._sample_traces import TRACE_KINDS, create_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace.export import SpanExporter

# The default batch size of the SDK's span processor.
_BATCH_SIZE: Final = 512
# Positions in /proc/PID/stat, counted from the field after the name of the process.
_PARENT, _GROUP, _USER_TIME, _SYSTEM_TIME = 1, 2, 11, 12


class Delivery(NamedTuple):
    """The result of one export.

    `rate` is in spans per second. `client_cpu` and `server_cpu` are the CPU times of
    this process and of the server, in µs per span.
    """

    rate: float
    client_cpu: float
    server_cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.delivery")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--spans", type=int, default=1_000)
    options = parser.parse_args(arguments)
    with MlflowServer() as server:
        otlp_exporter = OTLPSpanExporter(
            f"{server.uri}/v1/traces",
            headers={"x-mlflow-experiment-id": "0"},
            timeout=60,
        )
        mlflow_exporter = MlflowSpanExporter(
            tracking_uri=server.uri, experiment_id=0, timeout=60
        )
        sent = 0
        for exporter in (otlp_exporter, mlflow_exporter):
            # Warms up: the first spans wait until the server has loaded its modules.
            for kind in TRACE_KINDS:
                _deliver(exporter, kind, 100)
                sent += 100 // TRACE_KINDS[kind][1]
        _write(
            "| | spans/s, OTLP exporter | MLflow exporter | ratio "
            "| CPU µs per span, client + server: OTLP exporter | MLflow exporter "
            "| ratio |\n"
            "|---|--:|--:|--:|--:|--:|--:|\n"
        )
        all_pairs: list[list[tuple[Delivery, Delivery]]] = []
        for kind in TRACE_KINDS:
            pairs = [
                _deliver_pair(
                    otlp_exporter,
                    mlflow_exporter,
                    kind,
                    options.spans,
                    is_mlflow_first=bool(number % 2),
                )
                for number in range(options.pairs)
            ]
            sent += 2 * options.pairs * (options.spans // TRACE_KINDS[kind][1])
            _write(_row(kind, pairs))
            all_pairs.append(pairs)
        means = [_mean_pair(pairs) for pairs in zip(*all_pairs, strict=True)]
        _write(_row("all kinds", means))
        stored = _count_traces(server.uri)
    if stored != sent:
        raise SystemExit(f"{sent - stored} of {sent} traces did not arrive.")


def _deliver_pair(
    otlp_exporter: SpanExporter,
    mlflow_exporter: SpanExporter,
    kind: str,
    number: int,
    *,
    is_mlflow_first: bool,
) -> tuple[Delivery, Delivery]:
    if is_mlflow_first:
        mlflow = _deliver(mlflow_exporter, kind, number)
        return _deliver(otlp_exporter, kind, number), mlflow
    otlp = _deliver(otlp_exporter, kind, number)
    return otlp, _deliver(mlflow_exporter, kind, number)


def _deliver(exporter: SpanExporter, kind: str, number: int) -> Delivery:
    spans = create_spans(kind, number)
    gc.collect()
    server_start, client_start, start = (
        _children_cpu(),
        time.process_time(),
        time.perf_counter(),
    )
    for first in range(0, len(spans), _BATCH_SIZE):
        result = exporter.export(spans[first : first + _BATCH_SIZE])
        if result is not SpanExportResult.SUCCESS:
            raise SystemExit("A batch of spans did not arrive.")
    seconds = time.perf_counter() - start
    client = time.process_time() - client_start
    server = _children_cpu() - server_start
    count = len(spans)
    return Delivery(count / seconds, client / count * 1e6, server / count * 1e6)


def _mean_pair(pairs: Sequence[tuple[Delivery, Delivery]]) -> tuple[Delivery, Delivery]:
    """Returns the result for a mix of all kinds, with equal numbers of spans."""
    otlp, mlflow = (
        Delivery(
            harmonic_mean([delivery.rate for delivery in deliveries]),
            mean([delivery.client_cpu for delivery in deliveries]),
            mean([delivery.server_cpu for delivery in deliveries]),
        )
        for deliveries in zip(*pairs, strict=True)
    )
    return otlp, mlflow


def _row(kind: str, pairs: Sequence[tuple[Delivery, Delivery]]) -> str:
    otlp, mlflow = (
        Delivery(*map(median, zip(*deliveries, strict=True)))
        for deliveries in zip(*pairs, strict=True)
    )
    rate_ratios = [mlflow.rate / otlp.rate for otlp, mlflow in pairs]
    cpu_ratios = [
        (otlp.client_cpu + otlp.server_cpu) / (mlflow.client_cpu + mlflow.server_cpu)
        for otlp, mlflow in pairs
    ]
    return (
        f"| {kind} | {otlp.rate:.0f} | {mlflow.rate:.0f} "
        f"| {_median_and_range(rate_ratios)} "
        f"| {otlp.client_cpu:.0f} + {otlp.server_cpu:.0f} "
        f"| {mlflow.client_cpu:.0f} + {mlflow.server_cpu:.0f} "
        f"| {_median_and_range(cpu_ratios)} |\n"
    )


def _median_and_range(ratios: list[float]) -> str:
    low, middle, high = quantiles(ratios) if len(ratios) > 1 else ratios * 3
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _children_cpu() -> float:
    """Returns the CPU time of the children's process groups in seconds.

    NaN on systems other than Linux.
    """
    rows = [
        (
            int(row[_PARENT]),
            int(row[_GROUP]),
            int(row[_USER_TIME]) + int(row[_SYSTEM_TIME]),
        )
        for path in Path("/proc").glob("[0-9]*/stat")
        if (row := _stat_fields(path))
    ]
    if not rows:
        return math.nan
    groups = {group for parent, group, _ in rows if parent == os.getpid()}
    ticks = sum(cpu for _, group, cpu in rows if group in groups)
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat_fields(path: Path) -> list[str]:
    """Returns the fields after the name, which may contain spaces; see `man 5 proc`."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:  # the process has exited
        return []


def _count_traces(uri: str) -> int:
    """Returns the number of traces in the server's metrics."""
    request = urllib.request.Request(
        f"{uri}/api/3.0/mlflow/traces/metrics",
        json.dumps(
            {
                "experiment_ids": ["0"],
                "view_type": "TRACES",
                "metric_name": "trace_count",
                "aggregations": [{"aggregation_type": "COUNT"}],
            }
        ).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        (point,) = json.load(response)["data_points"]
        return int(point["values"]["COUNT"])


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
