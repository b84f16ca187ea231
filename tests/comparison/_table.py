"""Formats the cells as results.md; docs/comparison.md repeats the summary table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._facts import FACTS, Rank
from ._program_run import SETUPS
from ._programs import PROGRAMS

if TYPE_CHECKING:
    from typing import Final

    from ._facts import Cell

    # Maps the title of a program and a setup to the cells by fact.
    Cells = dict[tuple[str, str], dict[str, Cell]]

_RANK_TEXTS: Final = {Rank.CORRECT: "yes", Rank.PARTIAL: "in part", Rank.MISSING: "no"}
_DESCRIPTIONS: Final = {
    "name": "the operation and its model, or the route or function",
    "previews": "the list of traces shows the question and the answer, as text",
    "type": "calls and root have a span type, and a search for it finds the trace",
    "chat view": "the page shows question and answer of every call as a chat",
    "reasoning": "can be unfolded in the chat",
    "tools": "the chat shows definitions and calls",
    "tokens": "input, output and total are as billed by DeepSeek",
    "cache": "cache hits are as billed by DeepSeek, including 0",
    "cost": "DeepSeek's price at the time of the call",
    "session": "the session that the program sets",
    "status": "the status of the trace, and the reason of a failure",
}
_HEAD: Final = """\
# The same programs with four tracing setups

Written by `python -m tests.comparison --results FILE`. Each of the
[programs](programs) runs once with each setup, against
[the simulator](../../examples/simulator) and one MLflow server. The traces in MLflow's
API and on its page in a browser are compared with the HTTP traffic. The programs ran
outside DeepSeek's peak hours.

"""


def results(cells: Cells) -> str:
    setups = "".join(f"- **{name}**: {text}\n" for name, text in SETUPS.items())
    facts = "".join(f"- {fact}: {text}\n" for fact, text in _DESCRIPTIONS.items())
    sections = "".join(_section(title, cells) for title in PROGRAMS)
    return f"{_HEAD}{setups}\n{facts}\n{summary(cells)}{sections}"


def summary(cells: Cells) -> str:
    """Counts the programs with a correct fact, of those it applies to."""
    rows = [row(["", *SETUPS]), row(["---"] * (1 + len(SETUPS)))]
    for fact in FACTS:
        counts = [
            _count([cells[title, setup][fact] for title in PROGRAMS])
            for setup in SETUPS
        ]
        rows.append(row([f"**{fact}**: {_DESCRIPTIONS[fact]}", *counts]))
    return "".join(rows)


def _count(cells: list[Cell]) -> str:
    ranks = [cell.rank for cell in cells if cell.rank is not None]
    partial = ranks.count(Rank.PARTIAL)
    correct = f"{ranks.count(Rank.CORRECT)} of {len(ranks)}"
    return f"{correct}, {partial} in part" if partial else correct


def _section(title: str, cells: Cells) -> str:
    rows = [row(["", *SETUPS]), row(["---"] * (1 + len(SETUPS)))]
    for fact in FACTS:
        cells_of_fact = [cells[title, setup][fact] for setup in SETUPS]
        if cells_of_fact[0].rank is not None:  # the fact applies to the program
            rows.append(row([fact, *map(cell_text, cells_of_fact)]))
    program = PROGRAMS[title]
    files = ", ".join(
        f"[{file}](programs/{file})"
        for file in (program.file, program.service_file)
        if file
    )
    return f"\n## {title}\n\n{files}\n\n{''.join(rows)}"


def cell_text(cell: Cell) -> str:
    text = _RANK_TEXTS[cell.rank]
    return f"{text}: {cell.note}" if cell.note else text


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
