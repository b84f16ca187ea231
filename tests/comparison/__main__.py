"""Command line: `python -m tests.comparison`."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow

from examples.quickstart.mlflow_server import MlflowServer

from ._comparison import compare
from ._programs import PROGRAMS
from ._table import results, summary
from ._versions import save, version_results

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
        help="go on if a program has no result, as older versions of MLflow need",
    )
    parser.add_argument(
        "--autolog-python",
        type=Path,
        metavar="PYTHON",
        help="Python of the programs with autolog; by default the current one",
    )
    parser.add_argument(
        "--save",
        action="store_true",
        help="update the results of the installed version of MLflow, in versions.json "
        "and docs/comparison.md",
    )
    options = parser.parse_args(arguments)
    failures: dict[tuple[str, str], str] | None = {} if options.incomplete else None
    with ExitStack() as stack:
        uri = options.uri or stack.enter_context(MlflowServer(report=print)).uri
        # The client of MLflow 3.1 reads artifacts from this server.
        mlflow.set_tracking_uri(uri)
        # By default a trace without its spans takes minutes.
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
        cells = compare(
            uri,
            print,
            titles=options.program or PROGRAMS,
            failures=failures,
            autolog_python=options.autolog_python,
        )
    if options.save:
        save(version("mlflow"), version_results(cells, failures or {}))
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
