"""Command line: `python -m tests.e2e.faults`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .exporters import EXPORTERS
from .mlflow_backend import MlflowBackend
from .scenarios import SCENARIOS
from .table import ROW_FORMAT, Cell, row, update_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .scenarios import Scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the scenarios; returns 1 if this exporter fails a mark of one."""
    options = _parser().parse_args(arguments)
    names = options.scenarios or [scenario.name for scenario in SCENARIOS]
    rows: dict[str, str] = {}
    has_failed = False
    with (
        tempfile.TemporaryDirectory("-faults", ignore_cleanup_errors=True) as folder,
        MlflowBackend(Path(folder).resolve()) as mlflow,
    ):
        for scenario in SCENARIOS:
            if scenario.name not in names:
                continue
            cells = {
                name: _run(scenario, name, mlflow, is_short=options.short)
                for name in options.exporters or EXPORTERS
            }
            has_failed |= "mlflow" in cells and not cells["mlflow"].is_passed
            rows[scenario.name] = row(scenario, cells)
            _print(rows[scenario.name])
    _print("\n".join([ROW_FORMAT, *rows.values()]))
    if options.document:
        update_document(options.document, rows)
    return int(has_failed)


def _run(
    scenario: Scenario, exporter: str, mlflow: MlflowBackend, *, is_short: bool
) -> Cell:
    run = scenario.short if is_short else scenario.full
    outcome = run(mlflow, exporter)
    cell = Cell.of(outcome, scenario.marks_of(is_short=is_short))
    _print(f"{scenario.name} {exporter}: {cell}")
    return cell


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # shows progress


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.faults",
        description="Injects faults between a program and a real MLflow server.",
    )
    option = parser.add_argument
    names = [scenario.name for scenario in SCENARIOS]
    option(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        choices=[*names, []],
        help=f"{', '.join(names)}; all by default",
    )
    option("--exporters", nargs="*", choices=EXPORTERS)
    option("--short", action="store_true", help="the forms of the tests")
    option(
        "--document",
        type=Path,
        help="the page whose table is updated, docs/delivery.md",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
