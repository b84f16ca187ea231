"""A cell of the table, and how the results of several calls make one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._record import Record


class Value(Enum):
    YES = "yes"
    IN_PART = "in part"
    NO = "no"


@dataclass(frozen=True)
class Cell:
    value: Value
    note: str = ""


@dataclass(frozen=True)
class Runs:
    """The records of the SDK alone, and with the instrumentation in two modes."""

    bare: Record
    default: Record
    content: Record


def yes(note: str = "") -> Cell:
    return Cell(Value.YES, note)


def in_part(note: str) -> Cell:
    return Cell(Value.IN_PART, note)


def no(note: str = "") -> Cell:
    return Cell(Value.NO, note)


def of_all(results: Iterable[tuple[str, Cell]]) -> Cell:
    """Combines the cells of several subjects; the note names those without the fact."""
    cells = dict(results)
    values = {cell.value for cell in cells.values()}
    notes = {cell.note for cell in cells.values()}
    if len(values) == 1 and len(notes) == 1:
        return next(iter(cells.values()))
    subjects: dict[Cell, list[str]] = {}
    for subject, cell in cells.items():
        subjects.setdefault(cell, []).append(subject)
    texts = [
        f"{', '.join(names)}: {cell.note}"
        if cell.note
        else f"not for {', '.join(names)}"
        for cell, names in subjects.items()
        if cell.note or cell.value is not Value.YES
    ]
    value = values.pop() if len(values) == 1 else Value.IN_PART
    return Cell(value, "; ".join(texts))
