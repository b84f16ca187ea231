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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg

from examples.otelcol import HOW_TO_GET_IT, found
from examples.otlp_receiver import OtlpReceiver
from tests.collector.gateway import (
    Collectors,
    agent,
    backend_writer,
    mlflow_writer,
    servers,
    tiers,
)
from tests.collector.gateway_load import CALLS, SPANS, requests_of, send
from tests.collector.gateway_watch import Watch, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from examples.otelcol import Collector
    from tests.collector.gateway import Servers
    from tests.collector.gateway_watch import Figures

_WARMING: Final = 1000  # traces

# Of 10,000 calls a second.
_CALLS_A_SECOND: Final = 10_000
_BUSY: Final = 0.6  # a core that is planned for
_GB: Final = 86_400 / 1e9  # a day, of bytes a second

_BACK: Final = ("MLflow servers", "PostgreSQL", "MLflow writers", "Kafka")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    program = found()
    if program is None:
        raise SystemExit(HOW_TO_GET_IT)
    with ExitStack() as held:
        running = held.enter_context(servers(max(options.writers), options.partitions))
        collectors = held.enter_context(Collectors(program))
        sink = held.enter_context(OtlpReceiver())
        front = _front(options, running, collectors, sink)
        backs = [
            _back(options, running, collectors, writers, batch)
            for batch in options.batches
            for writers in options.writers
        ]
    for line in (
        *_front_words(options, front),
        *_back_words(backs),
        *_plan(front, backs),
    ):
        sys.stdout.write(f"{line}\n")


class Front(NamedTuple):
    """`arrived`: seconds until the samplers had all spans; `kafka`: bytes."""

    figures: Figures
    arrived: float
    kept: int
    kafka: int


def _front(
    options: argparse.Namespace,
    running: Servers,
    collectors: Collectors,
    sink: OtlpReceiver,
) -> Front:
    """From an agent to Kafka and on to a backend."""
    balancer, samplers = tiers(
        collectors,
        running.kafka,
        SAMPLING_WAIT="5s",
        SAMPLING_PERCENT=str(options.percent),
    )
    sidecar = agent(collectors, balancer)
    writer = backend_writer(collectors, running.kafka, sink.endpoint)

    def decided(**labels: str) -> float:
        name = "otelcol_processor_tail_sampling_global_count_traces_sampled"
        return sum(one.metric(name, **labels) for one in samplers)

    def at_the_backend(traces: int) -> bool:
        return decided() == traces and (
            len(sink.spans) == decided(sampled="true") * SPANS
        )

    send(sidecar, requests_of(_WARMING, options.bytes))
    _wait(lambda: at_the_backend(_WARMING))
    requests = list(requests_of(options.traces, options.bytes))
    kept, kafka = len(sink.spans), running.kafka.size()
    watch = Watch(
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
    send(sidecar, requests)
    sent = (_WARMING + options.traces) * SPANS
    _wait(lambda: sent == _received(samplers))
    arrived = time.monotonic() - began
    _wait(lambda: at_the_backend(_WARMING + options.traces))
    figures = watch.figures(options.traces * SPANS)
    return Front(figures, arrived, len(sink.spans) - kept, running.kafka.size() - kafka)


class Back(NamedTuple):
    """`a_span` is the database's bytes for it."""

    figures: Figures
    writers: int
    request: str
    a_span: float


def _back(
    options: argparse.Namespace,
    running: Servers,
    collectors: Collectors,
    count: int,
    batch: int,
) -> Back:
    """From Kafka to MLflow, for a while."""
    addresses = running.mlflow[:count]
    writers = [
        mlflow_writer(
            *(collectors, running.kafka, address, "0"), MLFLOW_BATCHSPANS=str(batch)
        )
        for address in addresses
    ]
    time.sleep(options.warming)
    with psycopg.connect(running.postgres.uri, autocommit=True) as connection:
        spans, size = _stored(connection)
        watch = Watch(
            {
                "MLflow writers": [one.pid for one in writers],
                "MLflow servers": listening(addresses),
                "PostgreSQL": [running.postgres.process.pid],
                "Kafka": [running.kafka.pid],
            }
        )
        time.sleep(options.seconds)
        spans_then, size_then = _stored(connection)
        figures = watch.figures(spans_then - spans)
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


def _front_words(options: argparse.Namespace, front: Front) -> Iterator[str]:
    figures, kept = front.figures, front.kept
    yield (
        f"{options.traces} traces of {SPANS} spans, {CALLS} of them calls with "
        f"{options.bytes} bytes of text each; {os.cpu_count()} cores, shared by all, "
        f"and {figures.others / figures.seconds:.1f} of them busy with other things. "
        f"{figures.spans / front.arrived:,.0f} spans/s went in, "
        f"{kept / figures.spans:.0%} were kept.\n"
    )
    yield "| part | µs of CPU | for a span | spans/s a core | peak MiB |"
    yield "|---|---:|---|---:|---:|"
    for part in figures.cpu:
        each, of = _each(front, part)
        yield (
            f"| {part} | {each:,.1f} | {of} | {1e6 / each:,.0f} "
            f"| {figures.resident[part]:,.0f} |"
        )
    yield ""


def _each(front: Front, part: str) -> tuple[float, str]:
    if part in {"Kafka", "backend writer"}:
        return front.figures.cpu[part] / front.kept * 1e6, "kept"
    return front.figures.microseconds(part), "sent"


def _back_words(backs: Sequence[Back]) -> Iterator[str]:
    yield (
        "| writers, each with a server | a request is | spans/s | traces/s "
        "| MLflow, ms of CPU a trace | PostgreSQL | writers | Kafka "
        "| spans/s a core, all together | cores busy: MLflow, PostgreSQL, all "
        "of ours, others | database bytes a span |"
    )
    yield "|---:|---|---:|---:|---:|---:|---:|---:|---:|---|---:|"
    for back in backs:
        figures = back.figures
        milliseconds = [
            f"{figures.microseconds(part) * SPANS / 1000:.2f}" for part in _BACK
        ]
        ours = sum(figures.cpu.values())
        busy = [
            *(figures.cpu[part] for part in ("MLflow servers", "PostgreSQL")),
            *(ours, figures.others),
        ]
        cells = [
            *(str(back.writers), back.request, f"{figures.rate:,.0f}"),
            *(f"{figures.rate / SPANS:,.0f}", *milliseconds),
            f"{figures.spans / ours:,.0f}",
            ", ".join(f"{one / figures.seconds:.2f}" for one in busy),
            f"{back.a_span:,.0f}",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _plan(front: Front, backs: Sequence[Back]) -> Iterator[str]:
    """So many cores, each busy to `_BUSY`, and so much disk."""
    spans = _CALLS_A_SECOND / CALLS * SPANS
    shares = (1.0, 0.1, 0.01)
    heads = " | ".join(f"{share:.0%} kept" for share in shares)
    yield f"| {_CALLS_A_SECOND:,} calls/s, {spans:,.0f} spans/s | {heads} |"
    yield f"|---|{'---:|' * len(shares)}"

    def row(name: str, of: str, each: float) -> str:
        needed = [each * spans * (share if of == "kept" else 1) for share in shares]
        return f"| {name} | {' | '.join(f'{one:,.1f}' for one in needed)} |"

    for part in ("agent", "balancer", "samplers", "Kafka", "backend writer"):
        each, of = _each(front, part)
        yield row(f"{part}, cores", of, each / 1e6 / _BUSY)
    for back in backs:
        if back.writers == max(one.writers for one in backs):
            for part in _BACK[:3]:
                each = back.figures.microseconds(part) / 1e6 / _BUSY
                yield row(f"{part}, {back.request} a request, cores", "kept", each)
    yield row("Kafka, GB a day and replica", "kept", front.kafka / front.kept * _GB)
    yield row("database, GB a day", "kept", backs[-1].a_span * _GB)


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
