"""The table in docs/delivery.md, one row per scenario."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .exporters import EXPORTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .outcome import Mark, Outcome
    from .scenarios import Scenario

ROW_FORMAT = """\
| what happens | what has to hold | MlflowSpanExporter | OTLPSpanExporter |
|---|---|---|---|"""
_START, _END = "<!-- faults: start -->", "<!-- faults: end -->"
_NOT_RUN = "not run"


@dataclass(frozen=True)
class Cell:
    """The figures of one run. `failures` has the marks that it does not pass."""

    figures: tuple[str, ...]
    failures: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome, marks: Sequence[Mark]) -> Cell:
        return cls(
            tuple(mark.figure(outcome) for mark in marks),
            tuple(mark.text for mark in marks if not mark.is_passed(outcome)),
        )

    @property
    def is_passed(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        return (
            f"{'✓' if self.is_passed else '✗'} {'; '.join(filter(None, self.figures))}"
        )


def row(scenario: Scenario, cells: Mapping[str, Cell]) -> str:
    columns = (
        scenario.fault,
        "; ".join(mark.text for mark in scenario.marks),
        *(cells.get(name, _NOT_RUN) for name in EXPORTERS),
    )
    return f"| {' | '.join(map(str, columns))} |"


def update_document(path: Path, rows: Mapping[str, str]) -> None:
    """Replaces the rows of the scenarios that ran, and appends new ones."""
    text = path.read_text("utf-8")
    before, rest = text.split(_START)
    table, after = rest.split(_END)
    by_fault = {
        _fault(line): line
        for line in table.strip().splitlines()[len(ROW_FORMAT.splitlines()) :]
    } | {_fault(line): line for line in rows.values()}
    lines = "\n".join([_START, "", ROW_FORMAT, *by_fault.values(), "", _END])
    path.write_text(before + lines + after, "utf-8")


def _fault(line: str) -> str:
    match = re.match(r"\| (.*?) \|", line)
    assert match, line
    return match[1]
