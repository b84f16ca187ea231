"""Programs that end, fork, or have many threads or calls."""

from __future__ import annotations

from typing import Final

from .canary import NO_CANARY, CanarySearch
from .faults import Always, Delay
from .memory_runs import BLOCK_SLOPE, MEMORY_SLOPE, MemoryRun
from .outcome import (
    ALL_ARRIVE,
    COUNTED,
    EXPORTED_ARRIVE,
    ONCE,
    STORED_ONCE,
    ends_within,
    export_ends_within,
    missing_at_most,
)
from .process_ends import Gunicorn, Kills, Termination
from .run import Run
from .scenario import Scenario

# The spans of half a second. The processor hands over a batch each tenth of a second.
_SPANS_LOST_BY_A_KILL = 100


def _parallel(*arguments: str, drain_seconds: float) -> Run:
    return Run(
        arguments,
        lambda: Always(Delay(0.2)),
        module="parallel_exports",
        stores_spans=False,
        drain_seconds=drain_seconds,
    )


def _memory(work: str, fault: str, count: int, short_count: int) -> Scenario:
    return Scenario(
        f"memory-of-{work}",
        f"{count:,} {fault}",
        (MEMORY_SLOPE,),
        short_marks=(BLOCK_SLOPE,),
        full=MemoryRun(work, count),
        short=MemoryRun(work, short_count, counts_blocks=True),
    )


PROCESS_SCENARIOS: Final = (
    Scenario(
        "sigterm",
        "SIGTERM while 1,000 spans wait in the batch processor",
        (ALL_ARRIVE, ends_within(6)),
        full=Termination(),
        short=Termination(),
    ),
    Scenario(
        "kill",
        "`kill -9` at 50 random moments, while half of the exports fail; a spool",
        # A request is sent again if the process was killed before it read the response.
        (EXPORTED_ARRIVE, missing_at_most(50 * _SPANS_LOST_BY_A_KILL), STORED_ONCE),
        short_marks=(
            EXPORTED_ARRIVE,
            missing_at_most(4 * _SPANS_LOST_BY_A_KILL),
            STORED_ONCE,
        ),
        full=Kills(50, longest_life=3, drain_seconds=60),
        short=Kills(4, longest_life=3, drain_seconds=5),
    ),
    Scenario(
        "threads",
        "64 threads export 1,000 spans each to a server that takes 200 ms",
        (ALL_ARRIVE, COUNTED, export_ends_within(5)),
        full=_parallel("--spans", "1000", drain_seconds=120),
        short=_parallel("--spans", "100", "--batch", "25", drain_seconds=20),
    ),
    Scenario(
        "forks",
        "200 forks while spans are on their way; each child has spans of its own",
        (ALL_ARRIVE, ONCE, COUNTED),
        full=Run(("--forks", "200"), module="forks", drain_seconds=20),
        short=Run(("--forks", "20"), module="forks", drain_seconds=5),
    ),
    Scenario(
        "gunicorn",
        "`gunicorn --preload -w 4`, which ends with SIGTERM",
        (ALL_ARRIVE, ONCE),
        full=Gunicorn(200),
        short=Gunicorn(40),
    ),
    # The memory of a process differs by some hundred kilobytes from run to run, so that
    # only many calls show a slope.
    _memory("calls", "calls", 1_000_000, 10_000),
    _memory("abandoned-streams", "streams that are abandoned", 1_000_000, 2_000),
    _memory("open-roots", "traces whose root never ends", 800_000, 10_000),
    Scenario(
        "secrets",
        "a secret in the token, the password, the URL, its query, the proxy's URL and"
        " the texts of errors",
        (NO_CANARY,),
        full=CanarySearch(),
        short=CanarySearch(),
    ),
)
