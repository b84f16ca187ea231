"""What the gateway of collector/gateway does for each core, and what limits it.

    python -m tests.benchmarks.gateway

Real processes, all on this machine: an agent, a balancer, two samplers, Kafka, a writer
to a backend; then as many MLflow servers on one PostgreSQL as writers, at 2 and at 4.
They share the cores with each other and with the load, so what counts is the CPU time
of each process for each span (/proc/PID/stat), and not the clock. From it follows how
many of each a number of calls needs.
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
    Back,
    Front,
    back_table,
    front_table,
    plan,
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

_WARMING: Final = 1000  # traces


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    program = find_collector()
    if program is None:
        raise SystemExit(INSTALL_HINT)
    with ExitStack() as held:
        running = held.enter_context(
            start_servers(max(options.writers), options.partitions)
        )
        collectors = held.enter_context(CollectorStack(program))
        sink = held.enter_context(OtlpReceiver())
        front = _front(options, running, collectors, sink)
        backs = [
            _back(options, running, collectors, writers, batch)
            for batch in options.batches
            for writers in options.writers
        ]
    for line in (
        *front_table(options, front),
        *back_table(backs),
        *plan(front, backs),
    ):
        sys.stdout.write(f"{line}\n")


def _front(
    options: argparse.Namespace,
    running: Servers,
    collectors: CollectorStack,
    sink: OtlpReceiver,
) -> Front:
    """From an agent to Kafka and on to a backend."""
    balancer, samplers = start_balancer_and_samplers(
        collectors,
        running.kafka,
        SAMPLING_WAIT="5s",
        SAMPLING_PERCENT=str(options.percent),
    )
    sidecar = start_agent(collectors, balancer)
    writer = start_backend_writer(collectors, running.kafka, sink.endpoint)

    def decided(**labels: str) -> float:
        name = "otelcol_processor_tail_sampling_global_count_traces_sampled"
        return sum(one.metric(name, **labels) for one in samplers)

    def at_the_backend(traces: int) -> bool:
        return decided() == traces and (
            len(sink.spans) == decided(sampled="true") * SPANS_PER_TRACE
        )

    send_requests(sidecar, export_requests(_WARMING, options.bytes))
    _wait(lambda: at_the_backend(_WARMING))
    requests = list(export_requests(options.traces, options.bytes))
    kept, kafka = len(sink.spans), running.kafka.topic_size()
    watch = UsageMeter(
        {
            "agent": [sidecar.pid],
            "balancer": [balancer.pid],
            "samplers": [one.pid for one in samplers],
            "Kafka": [running.kafka.pid],
            "backend writer": [writer.pid],
            "load and backend": [os.getpid()],
        }
    )
    began = time.monotonic()
    send_requests(sidecar, requests)
    sent = (_WARMING + options.traces) * SPANS_PER_TRACE
    _wait(lambda: sent == _received(samplers))
    arrived = time.monotonic() - began
    _wait(lambda: at_the_backend(_WARMING + options.traces))
    figures = watch.usage(options.traces * SPANS_PER_TRACE)
    return Front(
        figures, arrived, len(sink.spans) - kept, running.kafka.topic_size() - kafka
    )


def _back(
    options: argparse.Namespace,
    running: Servers,
    collectors: CollectorStack,
    count: int,
    batch: int,
) -> Back:
    """From Kafka to MLflow, for a while."""
    addresses = running.mlflow_uris[:count]
    writers = [
        start_mlflow_writer(
            *(collectors, running.kafka, address, "0"), MLFLOW_BATCHSPANS=str(batch)
        )
        for address in addresses
    ]
    time.sleep(options.warming)
    with psycopg.connect(running.postgres.uri, autocommit=True) as connection:
        spans, size = _stored(connection)
        watch = UsageMeter(
            {
                "MLflow writers": [one.pid for one in writers],
                "MLflow servers": mlflow_server_pids(addresses),
                "PostgreSQL": [running.postgres.process.pid],
                "Kafka": [running.kafka.pid],
            }
        )
        time.sleep(options.seconds)
        spans_then, size_then = _stored(connection)
        figures = watch.usage(spans_then - spans)
    for one in writers:
        one.stop()
    request = "a trace" if batch == 1 else f"{batch} spans"
    return Back(figures, count, request, (size_then - size) / figures.spans)


def _stored(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    (row,) = connection.execute(
        "SELECT (SELECT count(*) FROM spans), pg_database_size(current_database())"
    ).fetchall()
    return row


def _received(samplers: Sequence[Collector]) -> float:
    return sum(one.metric("otelcol_receiver_accepted_spans") for one in samplers)


def _wait(holds: Callable[[], bool], patience: float = 300) -> None:
    ends = time.monotonic() + patience
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.gateway",
        description="What the gateway does for each core.",
    )
    option = parser.add_argument
    option("--traces", type=int, default=40_000)
    option("--bytes", type=int, default=2000, help="of text in a call")
    option("--percent", type=int, default=20, help="of the traces are kept")
    option("--partitions", type=int, default=24)
    option("--writers", type=int, nargs="+", default=[2, 4])
    option("--batches", type=int, nargs="+", default=[1, 100], help="spans")
    option("--seconds", type=float, default=25)
    option("--warming", type=float, default=10)
    return parser


if __name__ == "__main__":
    main()
