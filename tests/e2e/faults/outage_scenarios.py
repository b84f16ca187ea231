"""MLflow is away, is locked, or has lost the experiment."""

from __future__ import annotations

from typing import Final

from .disturbances import (
    DatabaseLock,
    ExperimentDeletion,
    KillInUpload,
    Outage,
    Refusal,
)
from .outcome import (
    ALL_ARRIVE,
    COUNTED,
    MEBIBYTE,
    ONCE,
    REASON_LOGGED,
    drained_within,
    keeps_bytes,
    memory_grows_less_than,
    p99_below,
)
from .run import Run
from .scenario import DELIVERY_MARKS, SMALL_BATCHES, Scenario, load

_BIG_PAYLOAD = ("--payload", "20000")

OUTAGE_SCENARIOS: Final = (
    Scenario(
        "outage",
        "MLflow is killed, and is back after 30 s of 90 s; 100 spans/s",
        DELIVERY_MARKS,
        full=Run(load(100, 90), disturbance=Outage(30, 30)),
        short=Run(load(100, 10), disturbance=Refusal(2, 4), settings=SMALL_BATCHES),
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
            load(200, 9),
            disturbance=Refusal(1, 7),
            settings=SMALL_BATCHES,
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
            load(200, 9),
            disturbance=Refusal(1, 7),
            settings=SMALL_BATCHES,
            drain_seconds=20,
        ),
    ),
    Scenario(
        "full-buffer",
        "MLflow is away until the buffer of 64 MiB is full; 1,000 spans/s of 4 kB",
        (COUNTED, keeps_bytes(64 * MEBIBYTE), memory_grows_less_than(100)),
        full=Run(
            load(1000, 60, *_BIG_PAYLOAD),
            # No request is on its way when it begins, see `COUNTED`.
            disturbance=Refusal(0, 61),
            drain_seconds=180,
        ),
        short=Run(
            load(200, 6, *_BIG_PAYLOAD),
            disturbance=Refusal(0, 6.2),
            settings=SMALL_BATCHES
            # Requests are small, so that many fit.
            | {
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "25",
                "OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES": str(MEBIBYTE),
            },
            drain_seconds=10,
        ),
        short_marks=(COUNTED, keeps_bytes(MEBIBYTE), memory_grows_less_than(100)),
    ),
    Scenario(
        "database-lock",
        "another program locks MLflow's SQLite file for 30 s; 100 spans/s for 60 s",
        (ALL_ARRIVE, COUNTED),
        full=Run(load(100, 60), disturbance=DatabaseLock(10, 30), drain_seconds=120),
        short=Run(
            load(100, 5),
            disturbance=DatabaseLock(1, 3),
            settings=SMALL_BATCHES,
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
            settings=SMALL_BATCHES,
            drain_seconds=40,
        ),
    ),
    Scenario(
        "deleted-experiment",
        "the experiment is deleted; 100 spans/s for 20 s",
        (COUNTED, REASON_LOGGED),
        full=Run(load(100, 20), disturbance=ExperimentDeletion(8)),
        short=Run(
            load(100, 3), disturbance=ExperimentDeletion(1), settings=SMALL_BATCHES
        ),
    ),
)
