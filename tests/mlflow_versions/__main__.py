"""Command line: `python -m tests.mlflow_versions`."""

# ruff: noqa: T201  # prints the result

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from examples.quickstart.mlflow_server import MlflowServer

from ._facts import Evidence, check_facts
from ._page import read_pages
from ._programs import PROGRAMS
from ._run import run
from ._server_environment import client_version, server_python

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._facts import Check

_MARKS = {True: "  holds", False: "MISSING", None: "      -"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mlflow_versions",
        description="Checks the traces of two programs on an MLflow server.",
    )
    parser.add_argument(
        "--server", metavar="VERSION", help="version of the server, which is installed"
    )
    parser.add_argument(
        "--server-environment",
        type=Path,
        metavar="FOLDER",
        help="virtual environment whose MLflow is the server instead",
    )
    parser.add_argument(
        "--client",
        type=Path,
        metavar="PYTHON",
        help="Python of the programs; by default that of `--server-environment`, or "
        "the current one",
    )
    parser.add_argument(
        "--no-page", action="store_true", help="do not look at MLflow's page"
    )
    parser.add_argument(
        "--program", choices=list(PROGRAMS), action="append", help="only this program"
    )
    parser.add_argument("--log", action="store_true", help="print the programs' logs")
    options = parser.parse_args(arguments)
    if options.server_environment:
        python = options.server_environment.absolute() / "bin" / "python"
        client = (options.client or python).absolute()
    else:
        python = server_python(options.server or client_version())
        client = (options.client or Path(sys.executable)).absolute()
    is_complete = True
    with MlflowServer(python=python) as mlflow:
        for title in options.program or PROGRAMS:
            program_run = run(PROGRAMS[title], client, mlflow.uri)
            if options.log:
                print(program_run.log)
            pages = None
            if not options.no_page:
                try:
                    pages = read_pages(program_run)
                except Exception as error:  # noqa: BLE001  # the other facts count
                    print(f"page: {error}", file=sys.stderr)
                    pages = []
            checks = check_facts(Evidence(program_run, pages))
            _print(title, checks)
            is_complete &= all(check.holds is not False for check in checks.values())
    return 0 if is_complete else 1


def _print(title: str, checks: dict[str, Check]) -> None:
    looked_at = [check for check in checks.values() if check.holds is not None]
    holds = sum(bool(check.holds) for check in looked_at)
    print(f"\n{title}: {holds} of {len(looked_at)} facts")
    for name, check in checks.items():
        value = str(check.value).replace("\n", " ")
        print(f"{_MARKS[check.holds]}  {name}: {value[:160]}")


if __name__ == "__main__":
    raise SystemExit(main())
