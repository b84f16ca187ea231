"""The tables: results.md has all facts, docs/comparison.md a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.clients._virtual_environment import CHECKOUT
from tests.comparison._table import row

from ._facts import FACTS
from .worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._cell import Cell
    from ._results import Result

PAGE: Final = CHECKOUT / "docs" / "comparison.md"
_START: Final = "<!-- side-by-side: start -->"
_END: Final = "<!-- side-by-side: end -->"
_NO_RESULT: Final = "-"
_HEAD: Final = """\
# Side by side: what instrumentations record of the same calls

Written by `python -m tests.side_by_side --results FILE`. Each instrumentation is
installed in an environment of its own, with the newest `openai` SDK that it allows. The
same [calls](worker/calls.py) of the SDK go to
[the simulator](../../examples/simulator), which the client knows as `api.deepseek.com`.
They are made three times: without the instrumentation, with its default, and with the
fullest recording that its documentation describes. "no content by default" is checked
with the default, everything else with the fullest recording. What is recorded is
compared with what the simulator received, sent and billed.

A number refers to the [notes](#notes).

"""
_FACTS_HEAD: Final = """
## Facts

"""
_COLUMNS_HEAD: Final = """
## Instrumentations

| | version | openai SDK | Python | date | what is compared |
| --- | --- | --- | --- | --- | --- |
"""
_NOTES_HEAD: Final = """
## Notes

"""


def results_page(results: Mapping[str, Result]) -> str:
    notes: dict[tuple[str, str], int] = {}
    rows = [_header(results)]
    for fact in FACTS:
        cells = [
            _cell_text(result.cells.get(fact.title), fact.title, notes)
            for result in results.values()
        ]
        rows.append(row([fact.title, *cells]))
    note_lines = [
        f"{number}. **{title}**: {note}\n" for (title, note), number in notes.items()
    ]
    columns = [_column_row(name, result) for name, result in results.items()]
    return (
        f"{_HEAD}{''.join(rows)}{_FACTS_HEAD}{_descriptions()}"
        f"{_COLUMNS_HEAD}{''.join(columns)}{_NOTES_HEAD}{''.join(note_lines)}"
    )


def _descriptions() -> str:
    return "".join(f"- **{fact.title}**: {fact.description}\n" for fact in FACTS)


def _cell_text(cell: Cell | None, title: str, notes: dict[tuple[str, str], int]) -> str:
    if cell is None:
        return _NO_RESULT
    if not cell.note:
        return cell.value.value
    number = notes.setdefault((title, cell.note), len(notes) + 1)
    return f"{cell.value.value} ({number})"


def _column_row(name: str, result: Result) -> str:
    subject = SUBJECTS[name]
    text = subject.configuration
    if result.other_hosts:
        text = f"{text}. Looked up {', '.join(result.other_hosts)}, in vain"
    if result.failure:
        text = f"{text}. No result: {result.failure}"
    return row(
        [
            f"{subject.title}: `{subject.distribution}`",
            *(result.version, result.openai, result.python, result.date),
            text,
        ]
    )


def summary(results: Mapping[str, Result]) -> str:
    """The table of the documentation, without notes."""
    versions = row(["version", *(result.version for result in results.values())])
    rows = [
        row([fact.title, *(_value(result, fact.title) for result in results.values())])
        for fact in FACTS
        if fact.is_in_summary
    ]
    return f"{_header(results)}{versions}{''.join(rows)}"


def _value(result: Result, title: str) -> str:
    cell = result.cells.get(title)
    return cell.value.value if cell else _NO_RESULT


def _header(names: Sequence[str] | Mapping[str, Result]) -> str:
    titles = [SUBJECTS[name].title for name in names]
    return row(["", *titles]) + row(["---"] * (1 + len(titles)))


def write_summary(results: Mapping[str, Result]) -> None:
    """Replaces the table of docs/comparison.md."""
    before, rest = PAGE.read_text("utf-8").split(_START)
    _, after = rest.split(_END)
    text = f"{before}{_START}\n\n{summary(results)}\n{_END}{after}"
    PAGE.write_text(text, "utf-8")
