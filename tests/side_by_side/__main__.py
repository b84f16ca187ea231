"""Command line: `python -m tests.side_by_side`."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ._results import Result, evaluate, save
from ._table import results_page, write_summary
from ._worker_process import run_subject
from .worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .worker.subjects import Subject


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares the instrumentations; returns 1 if one of them has no result."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or Path(tempfile.gettempdir()) / "side-by-side")
    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, Result] = {}
    for name in options.only or SUBJECTS:
        result = results[name] = _run(SUBJECTS[name], folder.resolve())
        lines = [
            f"{name} {result.version}, openai {result.openai} {result.failure}",
            *(
                f"{cell.value.value:<8}{title}"
                + (f": {cell.note}" if cell.note else "")
                for title, cell in result.cells.items()
            ),
        ]
        print("\n  ".join(lines), flush=True)  # noqa: T201  # shows progress
        if options.results is not None:
            # After each one, because a later one may take long.
            merged = save(options.results.with_suffix(".json"), results)
            options.results.write_text(results_page(merged), encoding="utf-8")
            if options.docs:
                write_summary(merged)
    return int(any(result.failure for result in results.values()))


def _run(subject: Subject, folder: Path) -> Result:
    """The failure of one does not stop the others."""
    try:
        return evaluate(subject, run_subject(subject, folder))
    except subprocess.CalledProcessError as error:
        command = "the worker" if "-m" in error.cmd else "the installation"
        return Result(failure=f"{command} fails")
    except subprocess.TimeoutExpired:
        return Result(failure="the worker does not end")
    except Exception as error:  # noqa: BLE001  # becomes a part of the results
        reason = str(error).partition("\n")[0]
        return Result(failure=f"{type(error).__name__}: {reason}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.side_by_side",
        description="Compares what instrumentations record of the same calls.",
    )
    option = parser.add_argument
    option(
        "--results",
        type=Path,
        metavar="FILE",
        help="Markdown file to write the table to; a file .json beside it has the data",
    )
    option(
        "--docs",
        action="store_true",
        help="update the table of docs/comparison.md, too",
    )
    option(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=list(SUBJECTS),
        help=f"only these, of {', '.join(SUBJECTS)}; the other results are kept",
    )
    option("--folder", help="where to keep the environments, logs and records")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
