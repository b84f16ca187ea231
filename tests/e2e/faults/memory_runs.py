"""Runs of the program that measures the growth of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .fault_proxy import FaultProxy
from .outcome import Mark, Outcome
from .program import Program

if TYPE_CHECKING:
    from .mlflow_backend import MlflowBackend


# The memory of a process with threads differs by megabytes from run to run, because the
# C library keeps what is freed in the arena of a thread.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True)
class MemoryRun:
    """`work` is a kind of call, `count` their number."""

    work: str
    count: int

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        del mlflow  # The proxy accepts the spans.
        arguments = ["--exporter", exporter, "--work", self.work]
        arguments += ["--count", str(self.count)]
        with (
            FaultProxy(keeps_bodies=False) as proxy,
            Program(
                "memory", arguments, proxy.uri, "1", _ONE_ARENA, waits=False
            ) as program,
        ):
            program.read("started")
            program.read("sent")
            values, _ = program.end()
            return Outcome(
                0,
                [],
                memory_slope=values["memory_slope"],
                block_slope=values["block_slope"],
                log=program.log,
            )


_KIBIBYTE = 1024.0
# Blocks of Python's allocator have 16 to 512 bytes.
_MAX_BLOCKS = 16.0
_MAX_SHORT_BLOCKS = 300.0

MEMORY_SLOPE = Mark(
    "memory grows by less than 1 KiB in 1,000 calls",
    lambda run: f"{(run.memory_slope or 0) / _KIBIBYTE:+.2f} KiB in 1,000",
    lambda run: run.memory_slope is not None and run.memory_slope < _KIBIBYTE,
)
# Few calls do not show in the memory of the process, which grows by whole arenas.
BLOCK_SLOPE = Mark(
    "Python's allocator keeps less than 16 blocks in 1,000 calls",
    lambda run: f"{run.block_slope or 0:+.1f} blocks in 1,000",
    lambda run: run.block_slope is not None and run.block_slope < _MAX_BLOCKS,
)
# In a short run, what waits at the moment of a sample counts for more. One object that
# is kept for each call makes at least 1,000 blocks.
SHORT_BLOCK_SLOPE = Mark(
    "Python's allocator keeps less than 300 blocks in 1,000 calls",
    lambda run: f"{run.block_slope or 0:+.1f} blocks in 1,000",
    lambda run: run.block_slope is not None and run.block_slope < _MAX_SHORT_BLOCKS,
)
