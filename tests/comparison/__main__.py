"""`python -m tests.comparison`"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from examples.quickstart.mlflow_server import MlflowServer

from ._comparing import compare
from ._table import results, summary

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.comparison",
        description="Twelve programs in MLflow, traced in three ways.",
    )
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="write the tables there"
    )
    parser.add_argument(
        "--uri", metavar="URI", help="an MLflow server; without it, one is started"
    )
    options = parser.parse_args(arguments)
    if options.uri:
        findings = compare(options.uri, print)
    else:
        with MlflowServer(report=print) as mlflow:
            findings = compare(mlflow.uri, print)
    print(f"\n{summary(findings)}")  # noqa: T201  # it talks to people
    if options.results is not None:
        options.results.write_text(results(findings), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
