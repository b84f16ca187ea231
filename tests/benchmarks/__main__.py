"""`python -m tests.benchmarks`"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ._cases import CASES, MODES, settings, takes_part
from ._table import added, introduction, table
from ._workers import chosen, environment, workers
from .inside.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._cases import Case
    from ._table import Added
    from ._workers import Worker

_RESULTS: Final = Path(__file__).with_name("results.md")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or tempfile.mkdtemp(prefix="benchmarks-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    subjects = chosen(options.peers)
    pythons = {subject.name: environment(subject, folder) for subject in subjects}
    found: dict[Case, dict[str, Added]] = {}
    versions: dict[str, dict[str, str]] = {}
    for mode in options.modes:
        taking_part = {
            subject.name: chosen_settings
            for subject in subjects
            if (chosen_settings := settings(subject, mode)) is not None
        }
        with workers(pythons, mode, taking_part) as running:
            for name, worker in running.items():
                versions[name] = worker.versions
            for case in CASES:
                if case.mode == mode:
                    found[case] = _measured(case, running, options.rounds)
                    sys.stdout.write(f"{table(case, found[case])}\n")
                    sys.stdout.flush()
    if options.results is not None:
        tables = [table(case, found[case]) for case in CASES if case in found]
        words = [introduction(versions, options.rounds), *tables]
        options.results.write_text("\n".join(words), encoding="utf-8")


def _measured(case: Case, running: dict[str, Worker], rounds: int) -> dict[str, Added]:
    measured = {
        name: worker
        for name, worker in running.items()
        if takes_part(SUBJECTS[name], case)
    }
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in measured}
    for _ in range(case.rounds or rounds):
        for name, worker in measured.items():
            seen[name].append(worker.round(case.name))
    return {name: added(all_of) for name, all_of in seen.items()}


def _parser() -> argparse.ArgumentParser:
    peers = [subject.name for subject in SUBJECTS.values() if subject.is_peer]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="What an instrumentation adds to a call of the bare SDK.",
    )
    option = parser.add_argument
    option(
        "--peers",
        nargs="+",
        default=[],
        choices=[*peers, "all"],
        help="measured beside a bare span and this project; none by default",
    )
    option("--modes", nargs="+", default=MODES, choices=MODES)
    option("--rounds", type=int, default=15)
    option("--folder", help="where to keep the environments")
    option("--results", type=Path, metavar="FILE", help="write the tables there")
    return parser


if __name__ == "__main__":
    main()
