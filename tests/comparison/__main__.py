"""Command line: `python -m tests.comparison`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from examples.quickstart.mlflow_server import MlflowServer

from ._comparison import compare
from ._programs import PROGRAMS
from ._table import results, summary

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.comparison",
        description="Compares the traces of twelve programs with four tracing setups.",
    )
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="file to write the tables to"
    )
    parser.add_argument(
        "--uri", metavar="URI", help="MLflow server to use; by default one is started"
    )
    parser.add_argument(
        "--program",
        choices=list(PROGRAMS),
        action="append",
        help="only this program; prints no tables",
    )
    parser.add_argument(
        "--incomplete",
        action="store_true",
        help="count a program without a trace as one without any fact, as older "
        "versions of MLflow need",
    )
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        uri = options.uri or stack.enter_context(MlflowServer(report=print)).uri
        cells = compare(
            uri,
            print,
            titles=options.program or PROGRAMS,
            is_strict=not options.incomplete,
        )
    if options.program:
        for key, facts in cells.items():
            print(*key, facts, sep="\n  ")  # noqa: T201  # prints the result
        return 0
    print(f"\n{summary(cells)}")  # noqa: T201  # prints the result
    if options.results is not None:
        options.results.write_text(results(cells), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
