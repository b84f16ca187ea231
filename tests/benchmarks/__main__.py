"""Command line: `python -m tests.benchmarks`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ._cases import CASES, MODES, environment_variables, is_measured
from ._overhead_table import introduction, overhead, table
from ._worker_processes import environment, select_subjects, start_workers
from .worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._cases import Case
    from ._overhead_table import Overhead
    from ._worker_processes import Worker

_RESULTS: Final = Path(__file__).with_name("results.md")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or tempfile.mkdtemp(prefix="benchmarks-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    subjects = select_subjects(options.peers)
    pythons = {subject.name: environment(subject, folder) for subject in subjects}
    overheads: dict[Case, dict[str, Overhead]] = {}
    versions: dict[str, dict[str, str]] = {}
    for mode in options.modes:
        variables_by_subject = {
            subject.name: variables
            for subject in subjects
            if (variables := environment_variables(subject, mode)) is not None
        }
        with start_workers(pythons, mode, variables_by_subject) as workers:
            for name, worker in workers.items():
                versions[name] = worker.versions
            for case in CASES:
                if case.mode == mode:
                    overheads[case] = _measure(case, workers, options.rounds)
                    sys.stdout.write(f"{table(case, overheads[case])}\n")
                    sys.stdout.flush()
    if options.results is not None:
        tables = [table(case, overheads[case]) for case in CASES if case in overheads]
        sections = [introduction(versions, options.rounds), *tables]
        options.results.write_text("\n".join(sections), encoding="utf-8")


def _measure(
    case: Case, workers: dict[str, Worker], round_count: int
) -> dict[str, Overhead]:
    measured = {
        name: worker
        for name, worker in workers.items()
        if is_measured(SUBJECTS[name], case)
    }
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in measured}
    for _ in range(case.rounds or round_count):
        for name, worker in measured.items():
            rounds[name].append(worker.round(case.name))
    return {name: overhead(results) for name, results in rounds.items()}


def _parser() -> argparse.ArgumentParser:
    peers = [subject.name for subject in SUBJECTS.values() if subject.is_peer]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measures the overhead of instrumentations of the openai SDK.",
    )
    option = parser.add_argument
    option(
        "--peers",
        nargs="+",
        default=[],
        choices=[*peers, "all"],
        help="other instrumentations to measure; none by default",
    )
    option("--modes", nargs="+", default=MODES, choices=MODES)
    option("--rounds", type=int, default=15)
    option("--folder", help="where to create the virtual environments")
    option("--results", type=Path, metavar="FILE", help="file to write the tables to")
    return parser


if __name__ == "__main__":
    main()
