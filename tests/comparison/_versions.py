"""Results of several versions of MLflow, and their tables in docs/comparison.md.

`versions.json` has the text of each cell, or the reason why a program has no result
with a setup. A run replaces those of its version and its programs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ._program_run import SETUPS
from ._programs import PROGRAMS
from ._table import cell_text, row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ._table import Cells

    # The text of each fact, or why there is none, by program and setup.
    VersionResults = dict[str, dict[str, dict[str, str] | str]]

_ROOT: Final = Path(__file__).parents[2]
RESULTS_FILE: Final = Path(__file__).with_name("versions.json")
PAGE: Final = _ROOT / "docs" / "comparison.md"
_START: Final = "<!-- versions: start -->"
_END: Final = "<!-- versions: end -->"
_SEPARATOR: Final = " · "


def version_results(
    cells: Cells, failures: Mapping[tuple[str, str], str]
) -> VersionResults:
    return {
        title: {
            setup: failures.get((title, setup))
            or {
                fact: cell_text(cell)
                for fact, cell in cells[title, setup].items()
                if cell.rank is not None
            }
            for setup in SETUPS
        }
        for title in PROGRAMS
        if (title, next(iter(SETUPS))) in cells
    }


def read_results() -> dict[str, VersionResults]:
    """Returns the results of each version, the oldest first."""
    results = json.loads(RESULTS_FILE.read_text("utf-8"))
    return dict(sorted(results.items(), key=lambda item: _numbers(item[0])))


def save(version: str, results: VersionResults) -> None:
    """Replaces results of a version, and the tables of the page."""
    by_version = read_results()
    by_version[version] = by_version.get(version, {}) | results
    text = json.dumps(by_version, indent=1, ensure_ascii=False, sort_keys=True)
    RESULTS_FILE.write_text(f"{text}\n", "utf-8")
    before, rest = PAGE.read_text("utf-8").split(_START)
    _, after = rest.split(_END)
    PAGE.write_text(f"{before}{_START}\n\n{tables()}\n{_END}{after}", "utf-8")


def tables() -> str:
    """Counts the facts that MLflow has right: of all programs, and of each.

    A version of which only some programs have run is left out.
    """
    by_version = {
        version: results
        for version, results in read_results().items()
        if len(results) == len(PROGRAMS)
    }
    head = row(["", *by_version]) + row(["---", *["--:"] * len(by_version)])
    all_programs = [
        row([f"**{setup}**", *(_total(r, setup) for r in by_version.values())])
        for setup in SETUPS
    ]
    programs = [
        row([title, *(_counts(results, title) for results in by_version.values())])
        for title in PROGRAMS
    ]
    legend = _SEPARATOR.join(SETUPS)
    return (
        f"{head}{''.join(all_programs)}\n"
        f"Each program, as {legend}:\n\n"
        f"{head}{''.join(programs)}{_reasons(by_version)}"
    )


def _total(results: VersionResults, setup: str) -> str:
    counts = [_count(results[title][setup]) for title in PROGRAMS]
    known = [count for count in counts if count is not None]
    number = sum(_number_of_facts(results, title) for title in PROGRAMS)
    return f"{sum(known)} of {number}" if known else "-"


def _counts(results: VersionResults, title: str) -> str:
    counts = [_count(results[title][setup]) for setup in SETUPS]
    texts = ["-" if count is None else str(count) for count in counts]
    return f"{_SEPARATOR.join(texts)} of {_number_of_facts(results, title)}"


def _count(facts: dict[str, str] | str) -> int | None:
    if isinstance(facts, str):
        return None
    return sum(text.startswith("yes") for text in facts.values())


def _number_of_facts(results: VersionResults, title: str) -> int:
    return max(
        len(facts) for facts in results[title].values() if not isinstance(facts, str)
    )


def _reasons(by_version: Mapping[str, VersionResults]) -> str:
    """Says why a setup has no result with a version: for all programs, or for some."""
    versions: dict[str, list[str]] = {}
    for version, results in by_version.items():
        for setup in SETUPS:
            for reason, titles in _titles_without_result(results, setup).items():
                is_all = len(titles) == len(PROGRAMS)
                subject = setup if is_all else f"{setup}, {', '.join(titles)}"
                versions.setdefault(f"{subject}: {reason}", []).append(version)
    lines = [f"- {text} ({', '.join(names)})\n" for text, names in versions.items()]
    return f"\nA cell without a number:\n\n{''.join(lines)}" if lines else ""


def _titles_without_result(results: VersionResults, setup: str) -> dict[str, list[str]]:
    """Returns the titles of the programs by the reason."""
    titles: dict[str, list[str]] = {}
    for title in PROGRAMS:
        if isinstance(reason := results[title][setup], str):
            titles.setdefault(reason, []).append(title)
    return titles


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
