"""Measures the throughput per core of the gateway in collector/gateway.

    python -m tests.benchmarks.gateway

All processes run on this machine: an agent, a balancer, two samplers, Kafka and a
writer to a backend; then 2 and 4 writers with as many MLflow servers on one PostgreSQL.
They share the cores with each other and with the load generator. Therefore the CPU time
of each process per span (/proc/PID/stat) is measured instead of the elapsed time. It
determines how many cores each component needs for a given number of calls.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import psycopg

from examples.otelcol import INSTALL_HINT, find_collector
from examples.otlp_receiver import OtlpReceiver
from tests.benchmarks._gateway_tables import (
    IngestResult,
    StorageResult,
    ingest_table,
    sizing_table,
    storage_table,
)
from tests.collector.gateway import (
    CollectorStack,
    start_agent,
    start_backend_writer,
    start_balancer_and_samplers,
    start_mlflow_writer,
    start_servers,
)
from tests.collector.gateway_load import (
    SPANS_PER_TRACE,
    export_requests,
    send_requests,
)
from tests.collector.process_usage import UsageMeter, mlflow_server_pids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from examples.otelcol import Collector
    from tests.collector.gateway import Servers

_WARM_UP_TRACES: Final = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    program = find_collector()
    if program is None:
        raise SystemExit(INSTALL_HINT)
    with ExitStack() as stack:
        servers = stack.enter_context(
            start_servers(max(options.writers), options.partitions)
        )
        collectors = stack.enter_context(CollectorStack(program))
        backend = stack.enter_context(OtlpReceiver())
        ingest = _measure_ingest(options, servers, collectors, backend)
        storage = [
            _measure_storage(options, servers, collectors, writers, batch)
            for batch in options.batches
            for writers in options.writers
        ]
    for line in (
        *ingest_table(options, ingest),
        *storage_table(storage),
        *sizing_table(ingest, storage),
    ):
        sys.stdout.write(f"{line}\n")


def _measure_ingest(
    options: argparse.Namespace,
    servers: Servers,
    collectors: CollectorStack,
    backend: OtlpReceiver,
) -> IngestResult:
    """Measures the path from an agent through Kafka to a backend."""
    balancer, samplers = start_balancer_and_samplers(
        collectors,
        servers.kafka,
        SAMPLING_WAIT="5s",
        SAMPLING_PERCENT=str(options.percent),
    )
    agent = start_agent(collectors, balancer)
    writer = start_backend_writer(collectors, servers.kafka, backend.endpoint)

    def sampled_traces(**labels: str) -> float:
        name = "otelcol_processor_tail_sampling_global_count_traces_sampled"
        return sum(sampler.metric(name, **labels) for sampler in samplers)

    def is_complete(traces: int) -> bool:
        return sampled_traces() == traces and (
            len(backend.spans) == sampled_traces(sampled="true") * SPANS_PER_TRACE
        )

    send_requests(agent, export_requests(_WARM_UP_TRACES, options.bytes))
    _wait_until(lambda: is_complete(_WARM_UP_TRACES))
    requests = list(export_requests(options.traces, options.bytes))
    backend_start, kafka_start = len(backend.spans), servers.kafka.topic_size()
    meter = UsageMeter(
        {
            "agent": [agent.pid],
            "balancer": [balancer.pid],
            "samplers": [sampler.pid for sampler in samplers],
            "Kafka": [servers.kafka.pid],
            "backend writer": [writer.pid],
            "load and backend": [os.getpid()],
        }
    )
    start = time.monotonic()
    send_requests(agent, requests)
    sent = (_WARM_UP_TRACES + options.traces) * SPANS_PER_TRACE
    _wait_until(lambda: sent == _accepted_spans(samplers))
    seconds = time.monotonic() - start
    _wait_until(lambda: is_complete(_WARM_UP_TRACES + options.traces))
    usage = meter.usage(options.traces * SPANS_PER_TRACE)
    return IngestResult(
        usage,
        seconds,
        len(backend.spans) - backend_start,
        servers.kafka.topic_size() - kafka_start,
    )


def _measure_storage(
    options: argparse.Namespace,
    servers: Servers,
    collectors: CollectorStack,
    count: int,
    batch: int,
) -> StorageResult:
    """Measures the path from Kafka to MLflow for `--seconds`."""
    uris = servers.mlflow_uris[:count]
    writers = [
        start_mlflow_writer(
            *(collectors, servers.kafka, uri, "0"), MLFLOW_BATCHSPANS=str(batch)
        )
        for uri in uris
    ]
    time.sleep(options.warming)
    with psycopg.connect(servers.postgres.uri, autocommit=True) as connection:
        start_spans, start_size = _stored_spans_and_size(connection)
        meter = UsageMeter(
            {
                "MLflow writers": [writer.pid for writer in writers],
                "MLflow servers": mlflow_server_pids(uris),
                "PostgreSQL": [servers.postgres.process.pid],
                "Kafka": [servers.kafka.pid],
            }
        )
        time.sleep(options.seconds)
        end_spans, end_size = _stored_spans_and_size(connection)
        usage = meter.usage(end_spans - start_spans)
    for writer in writers:
        writer.stop()
    request = "one trace" if batch == 1 else f"up to {batch} spans"
    return StorageResult(usage, count, request, (end_size - start_size) / usage.spans)


def _stored_spans_and_size(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    (row,) = connection.execute(
        "SELECT (SELECT count(*) FROM spans), pg_database_size(current_database())"
    ).fetchall()
    return row


def _accepted_spans(samplers: Sequence[Collector]) -> float:
    name = "otelcol_receiver_accepted_spans"
    return sum(sampler.metric(name) for sampler in samplers)


def _wait_until(condition: Callable[[], bool], timeout: float = 300) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.gateway",
        description="Measures the throughput per core of the gateway.",
    )
    option = parser.add_argument
    option("--traces", type=int, default=40_000)
    option("--bytes", type=int, default=2000, help="length of the text of a call")
    option("--percent", type=int, default=20, help="percentage of traces to keep")
    option("--partitions", type=int, default=24)
    option("--writers", type=int, nargs="+", default=[2, 4])
    option("--batches", type=int, nargs="+", default=[1, 100], help="spans per request")
    option("--seconds", type=float, default=25)
    option("--warming", type=float, default=10)
    return parser


if __name__ == "__main__":
    main()
