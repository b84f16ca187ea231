"""Runs of the program that measures the growth of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .fault_proxy import FaultProxy
from .outcome import Mark, Outcome
from .program import Program

if TYPE_CHECKING:
    from .mlflow_backend import MlflowBackend


# Without these settings the memory of a process differs by megabytes from run to run.
# Python's allocator and the C library keep what is freed: in arenas of a megabyte, in
# an arena for each thread, and, after the first large request, in the heap.
_C_ALLOCATOR = {
    "PYTHONMALLOC": "malloc",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(128 * 1024),
}


@dataclass(frozen=True)
class MemoryRun:
    """`work` is a kind of call, `count` their number.

    The memory of the process, or the blocks of Python's allocator, is measured: the
    allocator is switched off to measure the memory.
    """

    work: str
    count: int
    counts_blocks: bool = False

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        del mlflow  # The proxy accepts the spans.
        arguments = ["--exporter", exporter, "--work", self.work]
        arguments += ["--count", str(self.count)]
        with (
            FaultProxy(keeps_bodies=False) as proxy,
            Program(
                "memory",
                arguments,
                proxy.uri,
                "1",
                {} if self.counts_blocks else _C_ALLOCATOR,
                waits=False,
            ) as program,
        ):
            program.read("started")
            program.read("sent")
            values, _ = program.end()
            return Outcome(
                0,
                [],
                memory_slope=None if self.counts_blocks else values["memory_slope"],
                block_slope=values["block_slope"] if self.counts_blocks else None,
                log=program.log,
            )


_KIBIBYTE = 1024.0
_MAX_BLOCKS = 300.0

MEMORY_SLOPE = Mark(
    "memory grows by less than 1 KiB in 1,000 calls",
    lambda run: f"{(run.memory_slope or 0) / _KIBIBYTE:+.2f} KiB in 1,000",
    lambda run: run.memory_slope is not None and run.memory_slope < _KIBIBYTE,
)
# Few calls do not show in the memory of the process. What waits at the moment of a
# sample counts, too. One object that is kept for each call makes at least 1,000 blocks.
BLOCK_SLOPE = Mark(
    "Python's allocator keeps less than 300 blocks in 1,000 calls",
    lambda run: f"{run.block_slope or 0:+.1f} blocks in 1,000",
    lambda run: run.block_slope is not None and run.block_slope < _MAX_BLOCKS,
)
