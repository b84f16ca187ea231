"""What was measured of one run, and the marks that it must pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exchange import Exchange

MEBIBYTE = 2**20


@dataclass
class Outcome:
    """One run of a program. Times are in seconds, memory is in bytes.

    `arrived` has the ids of the rows in MLflow's table of spans. `dropped` is the count
    of the exporter, None if it has none. `back_at` and `ended_at` are the times of
    time.time at which the fault was over, and the program began to end. The slopes are
    bytes of memory, and blocks of Python's allocator, in a thousand calls.
    `missing_of_exported` are the spans whose export had returned, and that are not in
    MLflow. `searches` is how often a secret was looked for, `canaries` where it was.
    """

    sent: int
    arrived: list[bytes]
    dropped: int | None = None
    input_tokens: int = 0
    expected_input_tokens: int = 0
    end_seconds: float = 0.0
    p99_milliseconds: float = 0.0
    memory_growth: int = 0
    missing_of_exported: int = 0
    log_record_count: int = 0
    memory_slope: float | None = None
    block_slope: float | None = None
    longest_export: float = 0.0
    back_at: float = 0.0
    ended_at: float = 0.0
    exports: list[Exchange] = field(default_factory=list["Exchange"])
    log: str = ""
    searches: int = 0
    canaries: list[str] = field(default_factory=list[str])

    @property
    def arrived_count(self) -> int:
        return len(set(self.arrived))

    @property
    def share(self) -> float:
        return self.arrived_count / self.sent if self.sent else 1.0

    @property
    def backlog(self) -> list[Exchange]:
        """The exports after the fault that stored spans made before its end."""
        seen: set[bytes] = set()
        backlog: list[Exchange] = []
        for exchange in self.exports:
            if not exchange.is_stored:
                continue
            new = exchange.span_ids - seen
            seen |= new
            if exchange.end > self.back_at and any(
                exchange.span_ends[span_id] < self.back_at for span_id in new
            ):
                backlog.append(exchange)
        return backlog

    @property
    def drain_seconds(self) -> float:
        """From the end of the fault to the storage of the last span made before it."""
        ends = [exchange.end - self.back_at for exchange in self.backlog]
        return max(ends, default=0.0)

    @property
    def stored_without_response(self) -> int:
        """The spans that MLflow has, although the client has never seen a success."""
        exported: set[bytes] = set()
        acknowledged: set[bytes] = set()
        for exchange in self.exports:
            exported |= exchange.span_ids
            if exchange.outcome == "200":
                acknowledged |= exchange.span_ids
        return len((exported & set(self.arrived)) - acknowledged)

    @property
    def resent_after_success(self) -> int:
        """The spans that were sent again although the client had seen a success."""
        acknowledged: Counter[bytes] = Counter()
        for exchange in self.exports:
            if exchange.outcome == "200":
                acknowledged.update(exchange.span_ids)
        return sum(count - 1 for count in acknowledged.values())


@dataclass(frozen=True)
class Mark:
    """One pass mark: its words, what a run shows of it, and whether that passes."""

    text: str
    figure: Callable[[Outcome], str]
    is_passed: Callable[[Outcome], bool]


ALL_ARRIVE = Mark(
    "everything arrives",
    lambda run: f"{run.arrived_count:,} of {run.sent:,} ({run.share:.1%})",
    lambda run: run.arrived_count == run.sent,
)
ONCE = Mark(
    "each once",
    lambda run: (
        f"{len(run.arrived) - run.arrived_count + run.resent_after_success} repeated"
    ),
    lambda run: (
        len(run.arrived) == run.arrived_count
        and not run.resent_after_success
        and run.input_tokens <= run.expected_input_tokens
    ),
)
STORED_ONCE = Mark(
    "MLflow has each once",
    lambda run: f"{len(run.arrived) - run.arrived_count} repeated",
    lambda run: (
        len(run.arrived) == run.arrived_count
        and run.input_tokens <= run.expected_input_tokens
    ),
)


def _count_figure(run: Outcome) -> str:
    missing = run.sent - run.arrived_count
    if not missing and not run.dropped:
        return ""
    counted = "not" if run.dropped is None else f"{run.dropped:,}"
    figure = f"{missing:,} missing, {counted} counted"
    if (run.dropped or 0) > missing:
        figure += f" ({run.stored_without_response:,} stored without a response)"
    return figure


# The exporter cannot know that a request was stored if the response is lost.
COUNTED = Mark(
    "what is missing is counted exactly",
    _count_figure,
    lambda run: (
        0
        <= (run.dropped or 0) - (run.sent - run.arrived_count)
        <= run.stored_without_response
    ),
)


def ends_within(seconds: float) -> Mark:
    return Mark(
        f"the program ends within {seconds:g} s",
        lambda run: f"end {run.end_seconds:.1f} s",
        lambda run: run.end_seconds <= seconds,
    )


def drained_within(seconds: float) -> Mark:
    return Mark(
        f"the backlog is delivered within {seconds:g} s",
        lambda run: f"backlog delivered in {run.drain_seconds:.0f} s",
        lambda run: run.drain_seconds <= seconds,
    )


def p99_below(milliseconds: float) -> Mark:
    return Mark(
        f"p99 of start and end of a span below {milliseconds:g} ms",
        lambda run: f"p99 {run.p99_milliseconds:.2f} ms",
        lambda run: run.p99_milliseconds < milliseconds,
    )


def memory_grows_less_than(mebibytes: float) -> Mark:
    return Mark(
        f"memory grows by less than {mebibytes:g} MiB",
        lambda run: f"memory +{run.memory_growth / MEBIBYTE:.0f} MiB",
        lambda run: run.memory_growth < mebibytes * MEBIBYTE,
    )


def export_ends_within(seconds: float) -> Mark:
    return Mark(
        f"an export ends within {seconds:g} s",
        lambda run: f"longest export {run.longest_export:.1f} s",
        lambda run: run.longest_export <= seconds,
    )


def missing_at_most(spans: int) -> Mark:
    return Mark(
        f"at most {spans:,} missing",
        lambda run: f"{run.sent - run.arrived_count:,} of {run.sent:,} missing",
        lambda run: run.sent - run.arrived_count <= spans,
    )


def _kept(run: Outcome) -> int:
    return sum(len(exchange.content) for exchange in run.backlog)


def keeps_bytes(limit: int) -> Mark:
    """What waits is at most the limit, and no less than half of it.

    A request may hold spans of both sides, and the queue has its own bookkeeping.
    """
    return Mark(
        f"keeps what fits into {limit / MEBIBYTE:g} MiB",
        lambda run: f"kept {_kept(run) / MEBIBYTE:.1f} MiB",
        lambda run: limit / 2 <= _kept(run) <= limit * 1.1,
    )


_REASONS = ("Cannot export spans to MLflow", "Spans not exported to MLflow")

REASON_LOGGED = Mark(
    "the reason is logged",
    lambda run: f"{run.arrived_count:,} of {run.sent:,}{_reason_figure(run)}",
    lambda run: run.arrived_count == run.sent or _has_reason(run),
)


def _reason_figure(run: Outcome) -> str:
    if run.arrived_count == run.sent:
        return ""
    return ", reason logged" if _has_reason(run) else ", no reason logged"


def _has_reason(run: Outcome) -> bool:
    return any(reason in run.log for reason in _REASONS)


EXPORTED_ARRIVE = Mark(
    "only what the batch processor still held is missing",
    lambda run: f"{run.missing_of_exported:,} of the exported are missing",
    lambda run: not run.missing_of_exported and run.arrived_count > 0,
)


def log_records_at_most(count: int) -> Mark:
    return Mark(
        f"at most {count} log records",
        lambda run: f"{run.log_record_count} log records",
        lambda run: 0 < run.log_record_count <= count,
    )
