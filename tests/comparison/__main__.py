"""Command line: `python -m tests.comparison`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from examples.quickstart.mlflow_server import MlflowServer

from ._comparison import compare
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
    options = parser.parse_args(arguments)
    if options.uri:
        cells = compare(options.uri, print)
    else:
        with MlflowServer(report=print) as mlflow:
            cells = compare(mlflow.uri, print)
    print(f"\n{summary(cells)}")  # noqa: T201  # prints the result
    if options.results is not None:
        options.results.write_text(results(cells), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
