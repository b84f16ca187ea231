"""What was measured of the gateway, in tables; and what it means for a load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.collector.gateway_load import CALLS_PER_TRACE, SPANS_PER_TRACE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from tests.collector.process_usage import Usage

# Of 10,000 calls a second.
_CALLS_A_SECOND: Final = 10_000
_BUSY: Final = 0.6  # a core that is planned for
_GB: Final = 86_400 / 1e9  # a day, of bytes a second

_BACK: Final = ("MLflow servers", "PostgreSQL", "MLflow writers", "Kafka")


class Front(NamedTuple):
    """`arrived`: seconds until the samplers had all spans; `kafka`: bytes."""

    figures: Usage
    arrived: float
    kept: int
    kafka: int


class Back(NamedTuple):
    """`a_span` is the database's bytes for it."""

    figures: Usage
    writers: int
    request: str
    a_span: float


def front_table(options: argparse.Namespace, front: Front) -> Iterator[str]:
    figures, kept = front.figures, front.kept
    yield (
        f"{options.traces} traces of {SPANS_PER_TRACE} spans, {CALLS_PER_TRACE} of "
        f"them calls with {options.bytes} bytes of text each; {os.cpu_count()} cores, "
        f"shared by all, and {figures.other_cpu / figures.seconds:.1f} of them busy "
        "with other things. "
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
    return front.figures.microseconds_per_span(part), "sent"


def back_table(backs: Sequence[Back]) -> Iterator[str]:
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
            f"{figures.microseconds_per_span(part) * SPANS_PER_TRACE / 1000:.2f}"
            for part in _BACK
        ]
        ours = sum(figures.cpu.values())
        busy = [
            *(figures.cpu[part] for part in ("MLflow servers", "PostgreSQL")),
            *(ours, figures.other_cpu),
        ]
        cells = [
            *(str(back.writers), back.request, f"{figures.spans_per_second:,.0f}"),
            *(f"{figures.spans_per_second / SPANS_PER_TRACE:,.0f}", *milliseconds),
            f"{figures.spans / ours:,.0f}",
            ", ".join(f"{one / figures.seconds:.2f}" for one in busy),
            f"{back.a_span:,.0f}",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def plan(front: Front, backs: Sequence[Back]) -> Iterator[str]:
    """So many cores, each busy to `_BUSY`, and so much disk."""
    spans = _CALLS_A_SECOND / CALLS_PER_TRACE * SPANS_PER_TRACE
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
                each = back.figures.microseconds_per_span(part) / 1e6 / _BUSY
                yield row(f"{part}, {back.request} a request, cores", "kept", each)
    yield row("Kafka, GB a day and replica", "kept", front.kafka / front.kept * _GB)
    yield row("database, GB a day", "kept", backs[-1].a_span * _GB)
