"""The results of each instrumentation, saved as JSON beside the table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ._cell import Cell, Runs, Value
from ._facts import check_facts
from .worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .worker.subjects import Subject


@dataclass(frozen=True)
class Result:
    """The cells of an instrumentation, by fact; `failure` says why there are none."""

    version: str = ""
    openai: str = ""
    python: str = ""
    date: str = ""
    failure: str = ""
    # Names that the instrumentation looked up, besides DeepSeek's.
    other_hosts: tuple[str, ...] = ()
    cells: dict[str, Cell] = field(default_factory=dict[str, Cell])


def evaluate(subject: Subject, runs: Runs) -> Result:
    """Raises ValueError if a fact holds for the SDK without the instrumentation."""
    bare_cells = check_facts(Runs(runs.bare, runs.bare, runs.bare))
    if titles := [t for t, cell in bare_cells.items() if cell.value is not Value.NO]:
        raise ValueError(f"the SDK alone has {', '.join(titles)}")
    data = runs.content.data
    cells = check_facts(runs)
    for title, remark in subject.remarks.items():
        cell = cells[title]
        if cell.value is not Value.YES:
            note = "; ".join(filter(None, [cell.note, remark]))
            cells[title] = Cell(cell.value, note)
    return Result(
        data["version"],
        data["openai"],
        data["python"],
        datetime.now(timezone.utc).date().isoformat(),
        other_hosts=tuple(dict.fromkeys(data["other_hosts"])),
        cells=cells,
    )


def save(file: Path, results: Mapping[str, Result]) -> dict[str, Result]:
    """Replaces the results of these instrumentations; returns those of all."""
    merged = (read(file) if file.exists() else {}) | dict(results)
    merged = {name: merged[name] for name in SUBJECTS if name in merged}
    data = {name: _encode(result) for name, result in merged.items()}
    text = json.dumps(data, indent=1, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")
    return merged


def read(file: Path) -> dict[str, Result]:
    data = json.loads(file.read_text(encoding="utf-8"))
    return {name: _decode(result) for name, result in data.items()}


def _encode(result: Result) -> dict[str, Any]:
    cells = {
        title: [cell.value.value, cell.note] for title, cell in result.cells.items()
    }
    return asdict(result) | {"cells": cells}


def _decode(data: dict[str, Any]) -> Result:
    cells = {
        title: Cell(Value(value), note)
        for title, (value, note) in data["cells"].items()
    }
    other_hosts = tuple(data["other_hosts"])
    return Result(**data | {"cells": cells, "other_hosts": other_hosts})
