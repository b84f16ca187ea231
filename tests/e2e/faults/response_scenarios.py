"""MLflow is there, and answers wrongly, late or not at all."""

from __future__ import annotations

from typing import Final

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
    export_ends_within,
    missing_at_most,
)
from .retry_after import WAITS_AS_ASKED
from .run import Run
from .scenario import DELIVERY_MARKS, SMALL_BATCHES, Scenario, load, timeout

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

RESPONSE_SCENARIOS: Final = (
    Scenario(
        "hang",
        "every fourth request gets no response; 100 spans/s for 20 s",
        DELIVERY_MARKS,
        full=Run(load(100, 20), lambda: EveryNth(4, Hang())),
        short=Run(
            load(100, 4),
            lambda: EveryNth(4, Hang()),
            settings=SMALL_BATCHES | timeout(2),
        ),
    ),
    Scenario(
        "internal-error",
        "30 % of the requests are answered by 500; 100 spans/s for 60 s",
        DELIVERY_MARKS,
        full=Run(load(100, 60), lambda: Randomly(0.3, (Respond(500),))),
        short=Run(
            load(100, 4),
            lambda: Randomly(0.3, (Respond(500),)),
            settings=SMALL_BATCHES,
        ),
    ),
    Scenario(
        "endless-retry-after",
        "429 with `Retry-After: 1000000000` for every fourth request; 100 spans/s for"
        " 20 s",
        DELIVERY_MARKS,
        full=Run(load(100, 20), lambda: EveryNth(4, _LONG_RETRY_AFTER)),
        short=Run(
            load(100, 4),
            lambda: EveryNth(4, _LONG_RETRY_AFTER),
            settings=SMALL_BATCHES,
        ),
    ),
    Scenario(
        "random-errors",
        "30 % of the requests are answered by 500, 422 or 503 for 60 s; 100 spans/s",
        (ALL_ARRIVE, COUNTED),
        full=Run(load(100, 60), lambda: Randomly(0.3, _ERRORS, 60), drain_seconds=120),
        short=Run(
            load(100, 5),
            lambda: Randomly(0.3, _ERRORS, 5),
            settings=SMALL_BATCHES,
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
            settings=SMALL_BATCHES,
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
            expected_missing=1,
        ),
        short=Run(
            (*_ONE_BATCH, "--poison", "300"),
            lambda: Containing(b"poison", Respond(400)),
            drain_seconds=3,
            expected_missing=1,
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
            expected_missing=1,
        ),
        short=Run(
            (*_ONE_BATCH, "--big", "10000000"),
            lambda: LargerThan(MEBIBYTE),
            drain_seconds=3,
            expected_missing=1,
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
            settings=SMALL_BATCHES | timeout(1),
            drain_seconds=25,
        ),
    ),
)
