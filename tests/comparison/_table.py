"""Writes the findings as results.md. docs/comparison.md repeats the summary table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._judging import FACTS, Rank
from ._programs import PROGRAMS
from ._running import WAYS

if TYPE_CHECKING:
    from typing import Final

    from ._judging import Cell

    # For each program and way, the cells by their facts.
    Findings = dict[tuple[str, str], dict[str, Cell]]

_WORDS: Final = {Rank.RIGHT: "yes", Rank.IN_PART: "in part", Rank.MISSING: "no"}
_MEANINGS: Final = {
    "name": "says what was done: operation and model, or the route or function",
    "previews": "the list of traces shows the question and the answer, as text",
    "type": "on calls and root, and a search for it finds the trace",
    "chat view": "the page shows question and answer of every call as a chat",
    "reasoning": "unfolds in that chat",
    "tools": "definitions and calls stand in that chat",
    "tokens": "what DeepSeek billed: input, output, total",
    "cache": "what DeepSeek billed as cache hits; 0 is a number",
    "cost": "DeepSeek's price at that hour",
    "session": "what the program says it is",
    "status": "of the trace; of a failure, with its reason",
}
_HEAD: Final = """\
# The same programs, traced in three ways

Written by `python -m tests.comparison --results FILE`: each of the
[programs](programs) runs once in each way, against
[the simulator](../../examples/simulator) and one MLflow server, and what MLflow has of
it then, in its API and on its page in a browser, is held against what went over the
wire. It was not peak hour at DeepSeek.

"""


def results(findings: Findings) -> str:
    ways = "".join(f"- **{way}**: {means}\n" for way, means in WAYS.items())
    facts = "".join(f"- {fact}: {means}\n" for fact, means in _MEANINGS.items())
    sections = "".join(_section(title, findings) for title in PROGRAMS)
    return f"{_HEAD}{ways}\n{facts}\n{summary(findings)}{sections}"


def summary(findings: Findings) -> str:
    """How many of the programs that have a fact have it right."""
    rows = [_row(["", *WAYS]), _row(["---"] * (1 + len(WAYS)))]
    for fact in FACTS:
        cells = [
            _count([findings[title, way][fact] for title in PROGRAMS]) for way in WAYS
        ]
        rows.append(_row([f"**{fact}**: {_MEANINGS[fact]}", *cells]))
    return "".join(rows)


def _count(cells: list[Cell]) -> str:
    ranks = [cell.rank for cell in cells if cell.rank is not None]
    part = ranks.count(Rank.IN_PART)
    right = f"{ranks.count(Rank.RIGHT)} of {len(ranks)}"
    return f"{right}, {part} in part" if part else right


def _section(title: str, findings: Findings) -> str:
    rows = [_row(["", *WAYS]), _row(["---"] * (1 + len(WAYS)))]
    for fact in FACTS:
        cells = [findings[title, way][fact] for way in WAYS]
        if cells[0].rank is not None:  # the program has it, or has it not
            rows.append(_row([fact, *map(_worded, cells)]))
    program = PROGRAMS[title]
    files = ", ".join(
        f"[{file}](programs/{file})" for file in (program.file, program.beside) if file
    )
    return f"\n## {title}\n\n{files}\n\n{''.join(rows)}"


def _worded(cell: Cell) -> str:
    word = _WORDS[cell.rank]
    return f"{word}: {cell.note}" if cell.note else word


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
