"""Formats the measurements of the gateway and calculates the cores for a given load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.collector.gateway_load import CALLS_PER_TRACE, SPANS_PER_TRACE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from tests.collector.process_usage import Usage

# The load of the sizing table.
_CALLS_PER_SECOND: Final = 10_000
_CORE_UTILIZATION: Final = 0.6
_GB_PER_DAY: Final = 86_400 / 1e9  # for one byte per second

_STORAGE_COMPONENTS: Final = ("MLflow servers", "PostgreSQL", "MLflow writers", "Kafka")


class IngestResult(NamedTuple):
    """The measurement from the agent to the backend.

    `seconds` is the time until the samplers had all spans, `kept_spans` the number of
    spans that arrived at the backend and `kafka_bytes` the growth of the topic.
    """

    usage: Usage
    seconds: float
    kept_spans: int
    kafka_bytes: int


class StorageResult(NamedTuple):
    """The measurement from Kafka to PostgreSQL."""

    usage: Usage
    writers: int
    request: str
    bytes_per_span: float


def ingest_table(options: argparse.Namespace, ingest: IngestResult) -> Iterator[str]:
    usage = ingest.usage
    yield (
        f"{options.traces} traces of {SPANS_PER_TRACE} spans. {CALLS_PER_TRACE} of "
        f"them are calls with {options.bytes} bytes of text each. All processes share "
        f"{os.cpu_count()} cores. Other processes use "
        f"{usage.other_cpu / usage.seconds:.1f} cores. "
        f"{usage.spans / ingest.seconds:,.0f} spans/s were sent, and "
        f"{ingest.kept_spans / usage.spans:.0%} were kept.\n"
    )
    yield "| component | µs of CPU per span | spans | spans/s per core | peak MiB |"
    yield "|---|---:|---|---:|---:|"
    for component in usage.cpu:
        microseconds, span_group = _cpu_per_span(ingest, component)
        yield (
            f"| {component} | {microseconds:,.1f} | {span_group} "
            f"| {1e6 / microseconds:,.0f} | {usage.resident[component]:,.0f} |"
        )
    yield ""


def _cpu_per_span(ingest: IngestResult, component: str) -> tuple[float, str]:
    """Returns µs of CPU time per span, and whether the spans are all or those kept."""
    if component in {"Kafka", "backend writer"}:
        return ingest.usage.cpu[component] / ingest.kept_spans * 1e6, "kept"
    return ingest.usage.microseconds_per_span(component), "sent"


def storage_table(results: Sequence[StorageResult]) -> Iterator[str]:
    yield (
        "| writers, each with an MLflow server | spans per request | spans/s "
        "| traces/s | ms of CPU per trace: MLflow | PostgreSQL | writers | Kafka "
        "| spans/s per core, from Kafka on | cores busy: MLflow, PostgreSQL, all "
        "components, other processes | bytes per span in PostgreSQL |"
    )
    yield "|---:|---|---:|---:|---:|---:|---:|---:|---:|---|---:|"
    for result in results:
        usage = result.usage
        milliseconds = [
            f"{usage.microseconds_per_span(component) * SPANS_PER_TRACE / 1000:.2f}"
            for component in _STORAGE_COMPONENTS
        ]
        total_cpu = sum(usage.cpu.values())
        cpu_seconds = [
            *(usage.cpu[component] for component in ("MLflow servers", "PostgreSQL")),
            *(total_cpu, usage.other_cpu),
        ]
        cells = [
            *(str(result.writers), result.request, f"{usage.spans_per_second:,.0f}"),
            *(f"{usage.spans_per_second / SPANS_PER_TRACE:,.0f}", *milliseconds),
            f"{usage.spans / total_cpu:,.0f}",
            ", ".join(f"{seconds / usage.seconds:.2f}" for seconds in cpu_seconds),
            f"{result.bytes_per_span:,.0f}",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def sizing_table(
    ingest: IngestResult, results: Sequence[StorageResult]
) -> Iterator[str]:
    """Yields the cores, at _CORE_UTILIZATION, and the disk space for the load."""
    spans = _CALLS_PER_SECOND / CALLS_PER_TRACE * SPANS_PER_TRACE
    shares = (1.0, 0.1, 0.01)
    headers = " | ".join(f"{share:.0%} kept" for share in shares)
    yield f"| {_CALLS_PER_SECOND:,} calls/s, {spans:,.0f} spans/s | {headers} |"
    yield f"|---|{'---:|' * len(shares)}"

    def row(name: str, span_group: str, amount_per_span: float) -> str:
        amounts = [
            amount_per_span * spans * (share if span_group == "kept" else 1)
            for share in shares
        ]
        return f"| {name} | {' | '.join(f'{amount:,.1f}' for amount in amounts)} |"

    for component in ("agent", "balancer", "samplers", "Kafka", "backend writer"):
        microseconds, span_group = _cpu_per_span(ingest, component)
        cores = microseconds / 1e6 / _CORE_UTILIZATION
        yield row(f"{component}: cores", span_group, cores)
    for result in results:
        if result.writers == max(other.writers for other in results):
            for component in _STORAGE_COMPONENTS[:3]:
                microseconds = result.usage.microseconds_per_span(component)
                cores = microseconds / 1e6 / _CORE_UTILIZATION
                name = f"{component}, {result.request} per request: cores"
                yield row(name, "kept", cores)
    kafka_bytes = ingest.kafka_bytes / ingest.kept_spans
    yield row("Kafka: GB per day and replica", "kept", kafka_bytes * _GB_PER_DAY)
    database_bytes = results[-1].bytes_per_span
    yield row("database: GB per day", "kept", database_bytes * _GB_PER_DAY)
