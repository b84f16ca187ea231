"""`python -m tests.clients`"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._checking import error, faults
from ._clients import CLIENTS
from ._running import run
from ._table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._clients import Client


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a client's spans are not what went over the wire."""
    options = _parser().parse_args(arguments)
    folder = Path(options.folder or Path(tempfile.gettempdir()) / "deepseek-clients")
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[Client, dict[str, Any]]] = []
    faulty = False
    for name in options.clients or CLIENTS:
        rows.append((CLIENTS[name], seen := run(CLIENTS[name], folder.resolve())))
        found = faults(seen)
        faulty |= bool(found)
        lines = [
            f"{name} {seen['version']}: {len(seen['spans'])} spans",
            *(f"{w}: {said[:200]}" for w, said in seen["said"].items() if error(said)),
            *(f"WRONG: {fault}" for fault in found),
        ]
        print("\n  ".join(lines), flush=True)  # noqa: T201  # it talks to people
    if options.results is not None:
        options.results.write_text(table(rows), encoding="utf-8")
    return int(faulty)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.clients",
        description="Other people's clients, under our instrumentation.",
    )
    option = parser.add_argument
    option(
        "clients",
        nargs="*",
        metavar="CLIENT",
        choices=[*CLIENTS, []],
        help=f"{', '.join(CLIENTS)}; all by default",
    )
    option("--folder", help="where to keep the environments and what they said")
    option("--results", type=Path, metavar="FILE", help="write the table there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
