"""Summarizes the rounds of a case and formats the results as tables."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from ._cases import BARE_SPAN
from .worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._cases import Case

_HEAD: Final = (
    "| | median | best | ratio to a bare span | ratio to the SDK "
    "| ratio to the best peer |\n"
    "|---|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Overhead:
    """The overhead over all rounds, and the median of the SDK without it."""

    median: float
    best: float
    sdk: float


def overhead(rounds: Sequence[Mapping[str, float]]) -> Overhead:
    values = [result["overhead"] for result in rounds]
    sdk = median(result["sdk"] for result in rounds)
    return Overhead(median(values), min(values), sdk)


def table(case: Case, overheads: Mapping[str, Overhead]) -> str:
    bare_span = overheads.get(BARE_SPAN.name)
    peer_medians = [
        result.median for name, result in overheads.items() if SUBJECTS[name].is_peer
    ]
    rows = [
        f"| {SUBJECTS[name].title} | {result.median:.1f} | {result.best:.1f} "
        f"| {_ratio(result.median, bare_span and bare_span.median)} "
        f"| {_ratio(result.median, case.unit == 'µs' and result.sdk)} "
        f"| {_ratio(result.median, min(peer_medians, default=0))} |"
        for name, result in overheads.items()
    ]
    target = f"Target for this package: {case.target}.\n\n" if case.target else ""
    return "\n".join([f"## {case.title} ({case.unit})\n\n{target}{_HEAD}", *rows, ""])


def _ratio(value: float, reference: float | None) -> str:
    return f"{value / reference:.2f}" if reference and reference > 0 else "-"


def introduction(versions: Mapping[str, Mapping[str, str]], rounds: int) -> str:
    versions_by_package: dict[str, set[str]] = {}
    for packages in versions.values():
        for package, version in packages.items():
            versions_by_package.setdefault(package, set()).add(version)
    package_list = [
        f"{package} {', '.join(sorted(package_versions))}"
        for package, package_versions in versions_by_package.items()
    ]
    return (
        "# Overhead of instrumentations\n\n"
        "Written by `python -m tests.benchmarks --peers all`. The overhead is the CPU "
        "time of the calling thread that is added to the SDK without instrumentation. "
        "The transport is in the same process. Spans are counted and dropped. The "
        "docstring of `tests.benchmarks` describes the method.\n\n"
        f"{platform.python_implementation()} {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} cores; {rounds} rounds.\n\n"
        f"{'; '.join(sorted(package_list))}.\n"
    )
