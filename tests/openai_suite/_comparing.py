"""Bare against a subject, test by test, and the table of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._running import Seen
    from .inside.openai_suite_subjects import Subject


@dataclass
class Comparison:
    """What `subject` changed.

    `broken` tests pass bare and not with the subject, each time. `unsettled` ones did
    so once, and not when run again by themselves.
    """

    subject: Subject
    seen: Seen
    broken: dict[str, str] = field(default_factory=dict[str, str])
    unsettled: dict[str, str] = field(default_factory=dict[str, str])

    def faults(self) -> Iterator[str]:
        """What an instrumentation must not do."""
        seen = self.seen
        for test, reason in sorted(self.broken.items()):
            yield f"broken: {test}: {reason}"
        for name, test in seen.leaked:
            yield f"never ended: span {name!r} of {test}"
        if seen.ended > seen.started:
            yield f"{seen.started} spans started, {seen.ended} ended"
        for test, logger, said in seen.logged:
            yield f"logged: {logger}: {said} ({test})"
        if self.subject.emits and not seen.started:
            yield "not one span: nothing was switched on"


def differing(bare: Seen, seen: Seen) -> dict[str, str]:
    """The tests that pass bare only, and what they say instead."""
    return {
        test: seen.reasons.get(test) or seen.outcomes.get(test, "did not run")
        for test in bare.passed - seen.passed
    }


def table(version: str, bare: Seen, comparisons: Sequence[Comparison]) -> str:
    """The results as Markdown. The first of `comparisons` is the pass-through."""
    ran, passed = len(bare.outcomes), len(bare.passed)
    reached = len(comparisons[0].seen.reached)
    lines = [
        "<!-- written by `python -m tests.openai_suite --peers --results …` -->",
        "",
        f"Of {ran:,} tests of openai-python {version}, {passed:,} pass bare. Peers ran",
        f"the {reached:,} in which a pass-through around the SDK's methods is called.",
        "",
        "| switched on | version | tests broken | spans | never ended | warnings |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for compared in comparisons:
        seen = compared.seen
        lines.append(
            f"| {compared.subject.title} | {seen.version} | {len(compared.broken)} "
            f"| {seen.started:,} | {len(seen.leaked)} | {len(seen.logged)} |"
        )
    return "\n".join([*lines, ""])
