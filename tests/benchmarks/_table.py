"""Rounds as numbers, and numbers as tables."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from ._cases import YARDSTICK
from .inside.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._cases import Case

_HEAD: Final = (
    "| | median | best | of a bare span | of the bare SDK | of the best peer |\n"
    "|---|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Added:
    """What was added, over all rounds; `bare` is what the SDK itself takes."""

    median: float
    best: float
    bare: float


def added(rounds: Sequence[Mapping[str, float]]) -> Added:
    each = [one["added"] for one in rounds]
    return Added(median(each), min(each), median(one["bare"] for one in rounds))


def table(case: Case, found: Mapping[str, Added]) -> str:
    yardstick = found.get(YARDSTICK.name)
    peers = [one.median for name, one in found.items() if SUBJECTS[name].is_peer]
    rows = [
        f"| {SUBJECTS[name].title} | {one.median:.1f} | {one.best:.1f} "
        f"| {_ratio(one.median, yardstick and yardstick.median)} "
        f"| {_ratio(one.median, case.unit == 'µs' and one.bare)} "
        f"| {_ratio(one.median, min(peers, default=0))} |"
        for name, one in found.items()
    ]
    budget = f"Ours is to be {case.budget}.\n\n" if case.budget else ""
    return "\n".join([f"## {case.title} ({case.unit})\n\n{budget}{_HEAD}", *rows, ""])


def _ratio(value: float, whole: float | None) -> str:
    return f"{value / whole:.2f}" if whole and whole > 0 else "-"


def introduction(versions: Mapping[str, Mapping[str, str]], rounds: int) -> str:
    used: dict[str, set[str]] = {}
    for one in versions.values():
        for distribution, version in one.items():
            used.setdefault(distribution, set()).add(version)
    said = [f"{name} {', '.join(sorted(found))}" for name, found in used.items()]
    return (
        "# What an instrumentation adds\n\n"
        "Written by `python -m tests.benchmarks --peers all`. CPU time of the calling "
        "thread, added to the bare SDK over an in-process transport, spans counted and "
        "dropped; see the docstring of `tests.benchmarks`.\n\n"
        f"{platform.python_implementation()} {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} cores; {rounds} rounds.\n\n"
        f"{'; '.join(sorted(said))}.\n"
    )
