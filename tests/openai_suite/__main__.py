"""`python -m tests.openai_suite`"""
# ruff: noqa: T201  # programs talk to people

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ._archive import downloaded, environment
from ._comparing import Comparison, differing, table
from ._running import run
from ._stand_in import stand_in
from .inside.openai_suite_subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._running import Seen
    from .inside.openai_suite_subjects import Subject

_BARE: Final = SUBJECTS["bare"]
_CONTROL: Final = SUBJECTS["pass-through"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where the pass-through, or this project, changed anything."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or tempfile.mkdtemp(prefix="openai-suite-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    suite = downloaded(options.openai, folder)
    tests: list[str] = options.tests or suite.tests(touching=options.touching)
    subjects = _subjects(options)
    with stand_in() as api:
        running = partial(run, suite, api=api, workers=options.workers)
        bare = running(environment(suite, _BARE, folder), _BARE, tests=tests)
        print(
            f"openai {suite.version}: of {len(bare.outcomes):,} tests "
            f"{len(bare.passed):,} pass bare ({bare.seconds:.0f} s)",
            flush=True,
        )
        if not bare.passed:
            raise RuntimeError("no test passes bare: there is nothing to compare")
        compared: list[Comparison] = []
        for subject in subjects:
            within = partial(running, environment(suite, subject, folder))
            # A peer has nothing to do in a test that did not come by the control.
            chosen = tests if subject.harmless else sorted(compared[0].seen.reached)
            compared.append(_compared(within, subject, bare, chosen))
            _tell(compared[-1])
            if options.results is not None:
                words = table(suite.version, bare, compared)
                options.results.write_text(words, encoding="utf-8")
    return int(any(c.subject.harmless and any(c.faults()) for c in compared))


def _subjects(options: argparse.Namespace) -> list[Subject]:
    named = [SUBJECTS[name] for name in options.subjects or SUBJECTS]
    chosen = [
        subject
        for subject in named
        if subject not in {_BARE, _CONTROL}
        and (options.subjects or options.peers or subject.harmless)
    ]
    return [_CONTROL, *chosen]


def _compared(
    within: Callable[..., Seen], subject: Subject, bare: Seen, tests: list[str]
) -> Comparison:
    seen = within(subject, tests=tests)
    if not subject.harmless:
        bare = bare.among(tests)
    broken = differing(bare, seen)
    if not broken:
        return Comparison(subject, seen)
    # Some of its tests wait on a clock, and a peer may bring other versions of what
    # both need: again, in this environment, with and without.
    bare_again = within(_BARE, tests=broken)
    settled = differing(bare_again, within(subject, tests=broken)).keys()
    return Comparison(
        subject,
        seen,
        {test: reason for test, reason in broken.items() if test in settled},
        {test: reason for test, reason in broken.items() if test not in settled},
    )


def _tell(compared: Comparison) -> None:
    seen = compared.seen
    print(
        f"{compared.subject.name} {seen.version}: {len(compared.broken)} broken, "
        f"{seen.started:,} spans started, {seen.ended:,} ended ({seen.seconds:.0f} s)"
    )
    for fault in compared.faults():
        print(f"  {fault}")
    for test, reason in sorted(compared.unsettled.items()):
        print(f"  failed once only: {test}: {reason}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.openai_suite",
        description="openai-python's own tests, with and without an instrumentation.",
    )
    option = parser.add_argument
    option(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        choices=[*SUBJECTS, []],
        help=f"{', '.join(SUBJECTS)}; by default this project's",
    )
    option("--peers", action="store_true", help="all subjects")
    option("--openai", default="3.*", metavar="VERSION", help="3.* (default), 2.*, …")
    option("--workers", type=int, default=2, help="processes that run tests")
    option("--tests", nargs="+", default=[], metavar="PATH", help="some of the tests")
    option(
        "--touching",
        action="store_true",
        help="only the test files that name what instrumentations wrap: half",
    )
    option("--folder", help="where to keep archive, environments and records")
    option("--results", type=Path, metavar="FILE", help="write the table there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
