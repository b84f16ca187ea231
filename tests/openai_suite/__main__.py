"""Command line: `python -m tests.openai_suite`."""
# ruff: noqa: T201  # a command line program prints its results

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ._api_server import serve_api
from ._archive import download_suite, environment
from ._comparison import Comparison, newly_failing, table
from ._suite_run import run
from .plugin.openai_suite_subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._suite_run import SuiteRun
    from .plugin.openai_suite_subjects import Subject

_UNINSTRUMENTED: Final = SUBJECTS["uninstrumented"]
_PASS_THROUGH: Final = SUBJECTS["pass-through"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tests; returns 1 if this package or the pass-through breaks a test."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or tempfile.mkdtemp(prefix="openai-suite-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    suite = download_suite(options.openai, folder)
    tests: list[str] = options.tests or suite.tests(
        only_instrumented=options.only_instrumented
    )
    subjects = _subjects(options)
    with serve_api() as base_url:
        run_suite = partial(run, suite, base_url=base_url, workers=options.workers)
        baseline = run_suite(
            environment(suite, _UNINSTRUMENTED, folder), _UNINSTRUMENTED, tests=tests
        )
        print(
            f"openai {suite.version}: {len(baseline.passed):,} of "
            f"{len(baseline.outcomes):,} tests pass without instrumentation "
            f"({baseline.seconds:.0f} s)",
            flush=True,
        )
        if not baseline.passed:
            raise RuntimeError(
                "No test passes without instrumentation, so nothing can be compared. "
                "See pytest.log in the folder of --folder."
            )
        comparisons: list[Comparison] = []
        for subject in subjects:
            run_in_environment = partial(run_suite, environment(suite, subject, folder))
            # Peers run only the tests that call a method of the pass-through.
            selection = (
                sorted(comparisons[0].run.instrumented_tests)
                if subject.is_peer
                else tests
            )
            comparison = _compare(run_in_environment, subject, baseline, selection)
            comparisons.append(comparison)
            _print(comparison)
            if options.results is not None:
                text = table(suite.version, baseline, comparisons)
                options.results.write_text(text, encoding="utf-8")
    return int(any(not c.subject.is_peer and any(c.problems()) for c in comparisons))


def _subjects(options: argparse.Namespace) -> list[Subject]:
    subjects = [SUBJECTS[name] for name in options.subjects or SUBJECTS]
    selection = [
        subject
        for subject in subjects
        if subject not in {_UNINSTRUMENTED, _PASS_THROUGH}
        and (options.subjects or options.peers or not subject.is_peer)
    ]
    return [_PASS_THROUGH, *selection]


def _compare(
    run_in_environment: Callable[..., SuiteRun],
    subject: Subject,
    baseline: SuiteRun,
    tests: list[str],
) -> Comparison:
    run = run_in_environment(subject, tests=tests)
    if subject.is_peer:
        baseline = baseline.restricted_to(tests)
    failures = newly_failing(baseline, run)
    if not failures:
        return Comparison(subject, run)
    # Some tests depend on time, and a peer may install other versions of dependencies.
    # The failing tests run again in this environment, with and without the subject.
    baseline_rerun = run_in_environment(_UNINSTRUMENTED, tests=failures)
    rerun = run_in_environment(subject, tests=failures)
    broken = newly_failing(baseline_rerun, rerun).keys()
    return Comparison(
        subject,
        run,
        {test: reason for test, reason in failures.items() if test in broken},
        {test: reason for test, reason in failures.items() if test not in broken},
    )


def _print(comparison: Comparison) -> None:
    run = comparison.run
    print(
        f"{comparison.subject.name} {run.version}: {len(comparison.broken)} broken, "
        f"{run.started:,} spans started, {run.ended:,} ended ({run.seconds:.0f} s)"
    )
    for problem in comparison.problems():
        print(f"  {problem}")
    for test, reason in sorted(comparison.flaky.items()):
        print(f"  failed only once: {test}: {reason}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.openai_suite",
        description="Runs openai-python's tests with and without an instrumentation.",
    )
    option = parser.add_argument
    option(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        choices=[*SUBJECTS, []],
        help=f"{', '.join(SUBJECTS)}; by default those of this package",
    )
    option(
        "--peers",
        action="store_true",
        help="run all subjects, including other instrumentations",
    )
    option("--openai", default="3.*", metavar="VERSION", help="3.* (default), 2.*, …")
    option("--workers", type=int, default=2, help="number of processes that run tests")
    option(
        "--tests",
        nargs="+",
        default=[],
        metavar="PATH",
        help="tests to run instead of all",
    )
    option(
        "--only-instrumented",
        action="store_true",
        help="run only the test files that use the instrumented methods, about half",
    )
    option("--folder", help="where to keep the archive, environments and records")
    option("--results", type=Path, metavar="FILE", help="file to write the table to")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
