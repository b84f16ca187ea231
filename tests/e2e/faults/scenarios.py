"""The scenarios: which fault, for how long, and which marks a run must pass.

Each has a full form, whose figures are in `docs/delivery.md`, and a short one, which is
a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .disturbances import (
    DatabaseLock,
    ExperimentDeletion,
    KillInUpload,
    Outage,
    Refusal,
)
from .faults import (
    Containing,
    EveryNth,
    First,
    HalfResponse,
    Hang,
    LargerThan,
    LostResponse,
    Randomly,
    Reset,
    Respond,
    RetryAtDate,
    SlowResponse,
)
from .outcome import (
    ALL_ARRIVE,
    COUNTED,
    MEBIBYTE,
    ONCE,
    REASON_LOGGED,
    drained_within,
    ends_within,
    export_ends_within,
    keeps_bytes,
    memory_grows_less_than,
    missing_at_most,
    p99_below,
)
from .retry_after import WAITS_AS_ASKED
from .run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from .mlflow_backend import MlflowBackend
    from .outcome import Mark, Outcome


@dataclass(frozen=True)
class Scenario:
    """A fault in words, the marks, and the two forms.

    `short_marks` are those of the short form, if they are others.
    """

    name: str
    fault: str
    marks: tuple[Mark, ...]
    full: Callable[[MlflowBackend, str], Outcome]
    short: Callable[[MlflowBackend, str], Outcome]
    short_marks: tuple[Mark, ...] | None = None

    def marks_of(self, *, is_short: bool) -> tuple[Mark, ...]:
        return self.short_marks if is_short and self.short_marks else self.marks


def load(rate: float, seconds: float, *others: str) -> tuple[str, ...]:
    """The sender's arguments for spans a second and seconds."""
    return ("--rate", str(rate), "--seconds", str(seconds), *others)


def timeout(seconds: float) -> dict[str, str]:
    """The settings of both exporters for the time of one export."""
    return {
        "OTEL_EXPORTER_MLFLOW_TIMEOUT": str(seconds),
        "OTEL_EXPORTER_OTLP_TIMEOUT": str(seconds),
    }


_SMALL_BATCHES = {"OTEL_BSP_SCHEDULE_DELAY": "500"}
_ONE_BATCH = ("--spans", "512")
_ERRORS = (Respond(500), Respond(422), Respond(503))
_LONG_RETRY_AFTER = Respond(429, {"Retry-After": "1000000000"})
_BROKEN_CONNECTIONS = (
    Hang(),
    None,
    SlowResponse(),
    None,
    HalfResponse(),
    None,
    LostResponse(),
    None,
    Reset(),
)
_BIG_PAYLOAD = ("--payload", "20000")
_TODAY_MARKS = (ALL_ARRIVE, COUNTED, ends_within(6))

SCENARIOS = (
    Scenario(
        "outage",
        "MLflow is killed, and is back after 30 s of 90 s; 100 spans/s",
        _TODAY_MARKS,
        full=Run(load(100, 90), disturbance=Outage(30, 30)),
        short=Run(load(100, 10), disturbance=Refusal(2, 4), settings=_SMALL_BATCHES),
    ),
    Scenario(
        "hang",
        "every fourth request gets no response; 100 spans/s for 20 s",
        _TODAY_MARKS,
        full=Run(load(100, 20), lambda: EveryNth(4, Hang())),
        short=Run(
            load(100, 4),
            lambda: EveryNth(4, Hang()),
            settings=_SMALL_BATCHES | timeout(2),
        ),
    ),
    Scenario(
        "internal-error",
        "30 % of the requests are answered by 500; 100 spans/s for 60 s",
        _TODAY_MARKS,
        full=Run(load(100, 60), lambda: Randomly(0.3, (Respond(500),))),
        short=Run(
            load(100, 4),
            lambda: Randomly(0.3, (Respond(500),)),
            settings=_SMALL_BATCHES,
        ),
    ),
    Scenario(
        "endless-retry-after",
        "429 with `Retry-After: 1000000000` for every fourth request; 100 spans/s for"
        " 20 s",
        _TODAY_MARKS,
        full=Run(load(100, 20), lambda: EveryNth(4, _LONG_RETRY_AFTER)),
        short=Run(
            load(100, 4),
            lambda: EveryNth(4, _LONG_RETRY_AFTER),
            settings=_SMALL_BATCHES,
        ),
    ),
    Scenario(
        "outage-with-spool",
        "MLflow is killed, and is back after 60 s of 120 s; 200 spans/s; a spool",
        (ALL_ARRIVE, ONCE, COUNTED, drained_within(60), p99_below(1)),
        full=Run(
            load(200, 120),
            disturbance=Outage(30, 60),
            has_spool=True,
            drain_seconds=90,
        ),
        short=Run(
            load(200, 6),
            disturbance=Refusal(1, 3),
            settings=_SMALL_BATCHES,
            has_spool=True,
            drain_seconds=20,
        ),
    ),
    Scenario(
        "outage-with-buffer",
        "the same without a spool",
        (ALL_ARRIVE, ONCE, COUNTED, drained_within(60), p99_below(1)),
        full=Run(load(200, 120), disturbance=Outage(30, 60), drain_seconds=90),
        short=Run(
            load(200, 6),
            disturbance=Refusal(1, 3),
            settings=_SMALL_BATCHES,
            drain_seconds=20,
        ),
    ),
    Scenario(
        "full-buffer",
        "MLflow is away until the buffer of 64 MiB is full; 1,000 spans/s of 4 kB",
        (COUNTED, keeps_bytes(64 * MEBIBYTE), memory_grows_less_than(100)),
        full=Run(
            load(1000, 60, *_BIG_PAYLOAD),
            disturbance=Refusal(5, 50),
            drain_seconds=180,
        ),
        short=Run(
            load(200, 6, *_BIG_PAYLOAD),
            disturbance=Refusal(0.5, 4.5),
            settings=_SMALL_BATCHES
            | {"OTEL_EXPORTER_MLFLOW_BUFFER_SIZE": str(MEBIBYTE)},
            drain_seconds=10,
        ),
        short_marks=(COUNTED, keeps_bytes(MEBIBYTE), memory_grows_less_than(100)),
    ),
    Scenario(
        "random-errors",
        "30 % of the requests are answered by 500, 422 or 503 for 60 s; 100 spans/s",
        (ALL_ARRIVE, COUNTED),
        full=Run(load(100, 60), lambda: Randomly(0.3, _ERRORS, 60), drain_seconds=120),
        short=Run(
            load(100, 5),
            lambda: Randomly(0.3, _ERRORS, 5),
            settings=_SMALL_BATCHES,
            drain_seconds=20,
        ),
    ),
    Scenario(
        "retry-after",
        "429 with a `Retry-After` of 7 s, an HTTP date, garbage, and 10^9 s",
        (ALL_ARRIVE, COUNTED, WAITS_AS_ASKED),
        full=Run(
            load(100, 60),
            lambda: First(
                (
                    Respond(429, {"Retry-After": "7"}),
                    None,
                    RetryAtDate(7),
                    None,
                    Respond(429, {"Retry-After": "soon"}),
                    None,
                    _LONG_RETRY_AFTER,
                )
            ),
            drain_seconds=120,
        ),
        short=Run(
            load(100, 4),
            lambda: First(
                (
                    Respond(429, {"Retry-After": "2"}),
                    RetryAtDate(4),
                    Respond(429, {"Retry-After": "soon"}),
                )
            ),
            settings=_SMALL_BATCHES,
            drain_seconds=20,
        ),
    ),
    Scenario(
        "poison-span",
        "one span among 512 that the server answers by 500",
        (missing_at_most(1), COUNTED),
        full=Run(
            (*_ONE_BATCH, "--poison", "300"),
            lambda: Containing(b"poison", Respond(500)),
            drain_seconds=300,
        ),
        short=Run(
            (*_ONE_BATCH, "--poison", "300"),
            lambda: Containing(b"poison", Respond(400)),
            drain_seconds=3,
        ),
    ),
    Scenario(
        "big-span",
        "one span of 10 MB among 512, and a limit of 1 MiB for a request",
        (missing_at_most(1), COUNTED),
        full=Run(
            (*_ONE_BATCH, "--big", "10000000"),
            lambda: LargerThan(MEBIBYTE),
            drain_seconds=30,
        ),
        short=Run(
            (*_ONE_BATCH, "--big", "10000000"),
            lambda: LargerThan(MEBIBYTE),
            drain_seconds=3,
        ),
    ),
    Scenario(
        "broken-connection",
        "a connection that hangs, a byte a second, half a response, a response that is"
        " lost after the commit, a reset",
        (ALL_ARRIVE, ONCE, COUNTED, export_ends_within(11)),
        full=Run(load(100, 60), lambda: First(_BROKEN_CONNECTIONS), drain_seconds=120),
        short=Run(
            load(100, 5),
            lambda: First(_BROKEN_CONNECTIONS),
            settings=_SMALL_BATCHES | timeout(1),
            drain_seconds=25,
        ),
    ),
    Scenario(
        "database-lock",
        "another program locks MLflow's SQLite file for 30 s; 100 spans/s for 60 s",
        (ALL_ARRIVE, COUNTED),
        full=Run(load(100, 60), disturbance=DatabaseLock(10, 30), drain_seconds=120),
        short=Run(
            load(100, 5),
            disturbance=DatabaseLock(1, 3),
            settings=_SMALL_BATCHES,
            drain_seconds=20,
        ),
    ),
    Scenario(
        "kill-in-upload",
        "MLflow is killed while it stores spans, and starts again; 100 spans/s",
        (ALL_ARRIVE, ONCE, COUNTED),
        full=Run(load(100, 30), disturbance=KillInUpload(8), drain_seconds=120),
        short=Run(
            load(100, 4),
            disturbance=KillInUpload(1),
            settings=_SMALL_BATCHES,
            drain_seconds=40,
        ),
    ),
    Scenario(
        "deleted-experiment",
        "the experiment is deleted; 100 spans/s for 20 s",
        (COUNTED, REASON_LOGGED),
        full=Run(load(100, 20), disturbance=ExperimentDeletion(8)),
        short=Run(
            load(100, 3), disturbance=ExperimentDeletion(1), settings=_SMALL_BATCHES
        ),
    ),
)
