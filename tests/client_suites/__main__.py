"""Command line: `python -m tests.client_suites`."""
# ruff: noqa: T201  # a command line program prints its results

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ._api_server import serve_api
from ._archive import download
from ._comparison import Comparison, newly_failing
from ._environment import environment
from ._results import section, write_section
from ._suite_run import run
from .plugin.client_suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._suite_run import SuiteRun
    from .plugin.client_suites import Subject, Suite


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tests; returns 1 if this package or the pass-through breaks a test."""
    parser = _parser()
    options = parser.parse_args(arguments)
    suites = [SUITES[client] for client in options.clients or SUITES]
    if len(suites) > 1 and (options.version or options.tests):
        parser.error("--version and --tests need exactly one client")
    folder = Path(options.folder or tempfile.mkdtemp(prefix="client-suites-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with serve_api() as base_url:
        # Not a generator, because a suite that fails must not keep the others from it.
        failed = [_run_suite(suite, options, folder, base_url) for suite in suites]
    return int(any(failed))


def _run_suite(
    suite: Suite, options: argparse.Namespace, folder: Path, base_url: str
) -> bool:
    """Returns whether this package or the pass-through breaks a test."""
    archive = download(suite.archive, options.version or suite.versions, folder)
    tests: list[str] = options.tests or suite.tests(
        archive, only_instrumented=options.only_instrumented
    )
    uninstrumented = suite.subjects["uninstrumented"]
    run_suite = partial(run, suite, archive, base_url=base_url, workers=options.workers)
    baseline = run_suite(
        environment(suite, archive, uninstrumented), uninstrumented, tests=tests
    )
    print(
        f"{suite.client} {baseline.client_version}: {len(baseline.passed):,} of "
        f"{len(baseline.outcomes):,} tests of {archive.name} pass without "
        f"instrumentation ({baseline.seconds:.0f} s)",
        flush=True,
    )
    if not baseline.passed:
        raise RuntimeError(
            "No test passes without instrumentation, so nothing can be compared. "
            "See pytest.log in the folder of --folder."
        )
    comparisons: list[Comparison] = []
    for subject in _subjects(suite, options):
        run_in_environment = partial(run_suite, environment(suite, archive, subject))
        # Peers run only the tests that call a method of the pass-through.
        selection = (
            sorted(comparisons[0].run.instrumented_tests) if subject.is_peer else tests
        )
        comparison = _compare(suite, run_in_environment, subject, baseline, selection)
        comparisons.append(comparison)
        _print(comparison)
        if options.results is not None:
            text = section(suite, archive, baseline, comparisons)
            write_section(options.results, suite.client, text)
    return any(not c.subject.is_peer and any(c.problems()) for c in comparisons)


def _subjects(suite: Suite, options: argparse.Namespace) -> list[Subject]:
    # The pass-through is always the first.
    return [
        subject
        for name, subject in suite.subjects.items()
        if name == "pass-through"
        or (
            name != "uninstrumented"
            and (name in options.subjects if options.subjects else True)
            and (options.subjects or options.peers or not subject.is_peer)
        )
    ]


def _compare(
    suite: Suite,
    run_in_environment: Callable[..., SuiteRun],
    subject: Subject,
    baseline: SuiteRun,
    tests: list[str],
) -> Comparison:
    run = run_in_environment(subject, tests=tests)
    if subject.is_peer:
        baseline = baseline.restricted_to(tests)
    comparison = Comparison(
        subject,
        run,
        newly_failing(baseline, run),
        logged=[entry for entry in run.logged if entry not in baseline.logged],
    )
    if subject.records_every_request:
        comparison.expected = suite.expected_differences(baseline.passed)
    if comparison.unexpected:
        # Some tests depend on time, and a peer may install other versions of
        # dependencies. The failing tests run again in this environment, with and
        # without the subject.
        uninstrumented = suite.subjects["uninstrumented"]
        failing = sorted(comparison.unexpected)
        baseline = run_in_environment(uninstrumented, tests=failing)
        rerun = run_in_environment(subject, tests=failing)
        comparison.forget_flaky(newly_failing(baseline, rerun))
    return comparison


def _print(comparison: Comparison) -> None:
    run = comparison.run
    print(
        f"{comparison.subject.name} {run.version}: "
        f"{len(comparison.unexpected)} broken, "
        f"{len(comparison.expected)} expected differences, "
        f"{run.started:,} spans started, {run.ended:,} ended ({run.seconds:.0f} s)",
        flush=True,
    )
    for problem in comparison.problems():
        print(f"  {problem}")
    for test, reason in sorted(comparison.flaky.items()):
        print(f"  failed only once: {test}: {reason}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.client_suites",
        description="Runs the own tests of clients with and without instrumentation.",
    )
    option = parser.add_argument
    option(
        "clients",
        nargs="*",
        metavar="CLIENT",
        choices=[*SUITES, []],
        help=f"{', '.join(SUITES)}; by default all",
    )
    names = dict.fromkeys(name for suite in SUITES.values() for name in suite.subjects)
    option(
        "--subjects",
        nargs="+",
        default=[],
        metavar="SUBJECT",
        choices=names,
        help=f"{', '.join(names)}; by default those of this package",
    )
    option(
        "--peers",
        action="store_true",
        help="run all subjects, including other instrumentations",
    )
    option("--version", help="version of the client's tests: 3.*, 2.*, 1.92.0, …")
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
        help="run only the files that use instrumented methods",
    )
    option("--folder", help="where to keep the archive, environments and records")
    option("--results", type=Path, metavar="FILE", help="file to write the tables to")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
