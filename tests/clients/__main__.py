"""Command line: `python -m tests.clients`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._clients import CLIENTS
from ._span_checks import is_error, mismatches
from ._table import table
from ._worker_process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._clients import Client


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the clients; returns 1 if spans differ from the HTTP traffic."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or Path(tempfile.gettempdir()) / "deepseek-clients")
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[Client, dict[str, Any]]] = []
    failed = False
    for name in options.clients or CLIENTS:
        record = run(CLIENTS[name], folder.resolve())
        rows.append((CLIENTS[name], record))
        problems = mismatches(record)
        failed |= bool(problems)
        lines = [
            f"{name} {record['version']}: {len(record['spans'])} spans",
            *(
                f"{call}: {output[:200]}"
                for call, output in record["outputs"].items()
                if is_error(output)
            ),
            *(f"WRONG: {problem}" for problem in problems),
        ]
        print("\n  ".join(lines), flush=True)  # noqa: T201  # shows progress
    if options.results is not None:
        options.results.write_text(table(rows), encoding="utf-8")
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.clients",
        description="Checks the spans of third-party clients that call DeepSeek.",
    )
    option = parser.add_argument
    option(
        "clients",
        nargs="*",
        metavar="CLIENT",
        choices=[*CLIENTS, []],
        help=f"{', '.join(CLIENTS)}; all by default",
    )
    option("--folder", help="where to keep the environments, logs and records")
    option("--results", type=Path, metavar="FILE", help="file to write the table to")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
