"""Compares the runs with and without a subject, test by test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from ._suite_run import SuiteRun
    from .plugin.client_suites import Subject


@dataclass
class Comparison:
    """The difference that a subject makes.

    Attributes:
        subject: The instrumentation.
        run: The run with it.
        broken: The tests that pass without the subject and fail with it, and the
            reasons. Those of which no difference is expected failed in two runs.
        flaky: The tests that did so only in the first run, and the reasons.
        logged: The warnings that the tests log only with the subject.
        expected: The tests of which a difference is expected.
    """

    subject: Subject
    run: SuiteRun
    broken: dict[str, str] = field(default_factory=dict[str, str])
    flaky: dict[str, str] = field(default_factory=dict[str, str])
    logged: list[list[str]] = field(default_factory=list[list[str]])
    expected: frozenset[str] = frozenset()

    @property
    def unexpected(self) -> dict[str, str]:
        """The broken tests of which no difference is expected."""
        return {t: why for t, why in self.broken.items() if t not in self.expected}

    def forget_flaky(self, broken_again: Container[str]) -> None:
        """Moves the unexpected tests that are not broken again to `flaky`."""
        for test in self.unexpected:
            if test not in broken_again:
                self.flaky[test] = self.broken.pop(test)

    @property
    def warnings(self) -> list[list[str]]:
        """The warnings in tests of which no difference is expected."""
        return [entry for entry in self.logged if entry[0] not in self.expected]

    @property
    def unended(self) -> list[list[str]]:
        """The spans that never ended, of tests of which no difference is expected."""
        return [entry for entry in self.run.unended if entry[1] not in self.expected]

    def problems(self) -> Iterator[str]:
        """Yields everything that an instrumentation must not do."""
        run = self.run
        for test, reason in sorted(self.unexpected.items()):
            yield f"broken: {test}: {reason}"
        differing = self.broken.keys() | {test for test, _, _ in self.logged}
        differing |= {test for _, test in run.unended}
        for test in sorted(self.expected - differing):
            yield f"expected to differ, and does not: {test}"
        for name, test in self.unended:
            yield f"never ended: span {name!r} of {test}"
        if run.ended > run.started:
            yield f"{run.started} spans started, {run.ended} ended"
        for test, logger, message in self.warnings:
            yield f"logged: {logger}: {message} ({test})"
        if self.subject.expects_spans and not run.started:
            yield "no span was started: the client was not instrumented"


def newly_failing(baseline: SuiteRun, run: SuiteRun) -> dict[str, str]:
    """Returns the tests that pass only in the baseline, with the reasons."""
    return {
        test: run.reasons.get(test) or run.outcomes.get(test, "did not run")
        for test in baseline.passed - run.passed
    }
