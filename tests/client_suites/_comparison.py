"""Compares the runs with and without a subject, test by test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._suite_run import SuiteRun
    from .plugin.client_suites import Subject


@dataclass
class Comparison:
    """The difference that a subject makes.

    `broken` tests pass without the subject and fail with it, in two runs. `flaky` tests
    did so only in the first run. Both map the id of a test to the reason.
    """

    subject: Subject
    run: SuiteRun
    broken: dict[str, str] = field(default_factory=dict[str, str])
    flaky: dict[str, str] = field(default_factory=dict[str, str])

    def problems(self) -> Iterator[str]:
        """Yields everything that an instrumentation must not do."""
        run = self.run
        for test, reason in sorted(self.broken.items()):
            yield f"broken: {test}: {reason}"
        for name, test in run.unended:
            yield f"never ended: span {name!r} of {test}"
        if run.ended > run.started:
            yield f"{run.started} spans started, {run.ended} ended"
        for test, logger, message in run.logged:
            yield f"logged: {logger}: {message} ({test})"
        if self.subject.expects_spans and not run.started:
            yield "no span was started: the client was not instrumented"


def newly_failing(baseline: SuiteRun, run: SuiteRun) -> dict[str, str]:
    """Returns the tests that pass only in the baseline, with the reasons."""
    return {
        test: run.reasons.get(test) or run.outcomes.get(test, "did not run")
        for test in baseline.passed - run.passed
    }
