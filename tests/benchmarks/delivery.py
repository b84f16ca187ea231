"""How fast the MLflow exporter delivers to a real server, beside the stock OTLP one.

    python -m tests.benchmarks.delivery [--pairs 7] [--spans 1000]

The same spans, as MLflow's pages show them best (ours) and as they are
(`OTLPSpanExporter`), in batches of 512, to one MLflow server with SQLite. A pair is one
turn of each, and who begins alternates: the machine has slow moments, and the second
finds a larger database. Each pair gives one ratio, above 1 where ours delivers more;
written are the median of all and the middle half.

CPU time is that of this process and, on Linux, of the server's: spans for each second
of both depend less on what else the machine does.
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
from tests.benchmarks._traffic import TRAFFIC, spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace.export import SpanExporter

# As the SDK's processor gives them.
_BATCH: Final = 512
_PARENT, _GROUP, _USER, _SYSTEM = 1, 2, 11, 12


class Turn(NamedTuple):
    """Spans a second, and CPU time in µs a span of this process and the server's."""

    rate: float
    client: float
    server: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.delivery")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--spans", type=int, default=1_000)
    given = parser.parse_args(arguments)
    with MlflowServer() as server:
        stock = OTLPSpanExporter(
            f"{server.uri}/v1/traces",
            headers={"x-mlflow-experiment-id": "0"},
            timeout=60,
        )
        ours = MlflowSpanExporter(tracking_uri=server.uri, experiment_id=0, timeout=60)
        sent = 0
        for exporter in (stock, ours):
            # The first spans wait for what the server loads.
            for kind in TRAFFIC:
                _turn(exporter, kind, 100)
                sent += 100 // TRAFFIC[kind][1]
        _write(
            "| | spans/s, OTLP | ours | ratio | CPU µs a span, OTLP | ours | ratio |\n"
            "|---|--:|--:|--:|--:|--:|--:|\n"
        )
        all_pairs: list[list[tuple[Turn, Turn]]] = []
        for kind in TRAFFIC:
            pairs = [
                _pair(stock, ours, kind, given.spans, ours_first=bool(number % 2))
                for number in range(given.pairs)
            ]
            sent += 2 * given.pairs * (given.spans // TRAFFIC[kind][1])
            _write(_row(kind, pairs))
            all_pairs.append(pairs)
        of_all = [_together(turns) for turns in zip(*all_pairs, strict=True)]
        _write(_row("all of these", of_all))
        stored = _stored(server.uri)
    if stored != sent:
        raise SystemExit(f"{sent - stored} traces of {sent} did not arrive")


def _pair(
    stock: SpanExporter,
    ours: SpanExporter,
    kind: str,
    number: int,
    *,
    ours_first: bool,
) -> tuple[Turn, Turn]:
    if ours_first:
        of_ours = _turn(ours, kind, number)
        return _turn(stock, kind, number), of_ours
    return _turn(stock, kind, number), _turn(ours, kind, number)


def _turn(exporter: SpanExporter, kind: str, number: int) -> Turn:
    made = spans(kind, number)
    gc.collect()
    servers, client, began = (
        _cpu_of_children(),
        time.process_time(),
        time.perf_counter(),
    )
    for first in range(0, len(made), _BATCH):
        result = exporter.export(made[first : first + _BATCH])
        if result is not SpanExportResult.SUCCESS:
            raise SystemExit("a batch did not arrive")
    taken = time.perf_counter() - began
    client = time.process_time() - client
    servers = _cpu_of_children() - servers
    return Turn(len(made) / taken, client / len(made) * 1e6, servers / len(made) * 1e6)


def _together(pairs: Sequence[tuple[Turn, Turn]]) -> tuple[Turn, Turn]:
    """As if each turn were of all kinds, as many spans of each."""
    stock, ours = (
        Turn(
            harmonic_mean([turn.rate for turn in turns]),
            mean([turn.client for turn in turns]),
            mean([turn.server for turn in turns]),
        )
        for turns in zip(*pairs, strict=True)
    )
    return stock, ours


def _row(kind: str, pairs: Sequence[tuple[Turn, Turn]]) -> str:
    stock, ours = (
        Turn(*map(median, zip(*turns, strict=True)))
        for turns in zip(*pairs, strict=True)
    )
    rates = [ours.rate / stock.rate for stock, ours in pairs]
    cpu = [
        (stock.client + stock.server) / (ours.client + ours.server)
        for stock, ours in pairs
    ]
    return (
        f"| {kind} | {stock.rate:.0f} | {ours.rate:.0f} | {_spread(rates)} "
        f"| {stock.client:.0f} + {stock.server:.0f} "
        f"| {ours.client:.0f} + {ours.server:.0f} | {_spread(cpu)} |\n"
    )


def _spread(ratios: list[float]) -> str:
    low, middle, high = quantiles(ratios) if len(ratios) > 1 else ratios * 3
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _cpu_of_children() -> float:
    """Seconds of the process groups of this process's children; NaN but for Linux."""
    rows = [
        (int(row[_PARENT]), int(row[_GROUP]), int(row[_USER]) + int(row[_SYSTEM]))
        for path in Path("/proc").glob("[0-9]*/stat")
        if (row := _fields(path))
    ]
    if not rows:
        return math.nan
    groups = {group for parent, group, _ in rows if parent == os.getpid()}
    ticks = sum(used for _, group, used in rows if group in groups)
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(path: Path) -> list[str]:
    """What stands behind the name, which may have spaces; see `man 5 proc`."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return []


def _stored(uri: str) -> int:
    """Traces, as the server's own charts count them."""
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
    with urllib.request.urlopen(request, timeout=60) as answer:
        (point,) = json.load(answer)["data_points"]
        return int(point["values"]["COUNT"])


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
