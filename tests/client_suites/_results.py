"""Writes the results of a suite as Markdown."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ._comparison import Comparison
    from ._suite_run import SuiteRun
    from .plugin.client_suites import Suite

_TITLE: Final = """\
# Tests of clients, with and without instrumentation

Written by `python -m tests.client_suites --results FILE`, which replaces the sections
of the clients that it tests. A broken test passes without the instrumentation and fails
with it. The instrumentations are enabled for every host.
"""
_COLUMNS: Final = (
    "instrumentation",
    "version",
    "broken tests",
    "expected differences",
    "spans",
    "spans never ended",
    "warnings",
)


def write_section(file: Path, client: str, section: str) -> None:
    """Replaces the section of a client, or adds it."""
    text = file.read_text(encoding="utf-8") if file.exists() else _TITLE
    pattern = re.compile(
        rf"^## {re.escape(client)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE
    )
    before, *rest = pattern.split(text)
    sections = [before.rstrip(), section.rstrip(), *(part.rstrip() for part in rest)]
    file.write_text("\n\n".join(filter(None, sections)) + "\n", encoding="utf-8")


def section(
    suite: Suite,
    archive: Path,
    baseline: SuiteRun,
    comparisons: Sequence[Comparison],
) -> str:
    """Returns the section of a suite; the first comparison is the pass-through."""
    total, passed = len(baseline.outcomes), len(baseline.passed)
    instrumented = len(comparisons[0].run.instrumented_tests)
    other = any(comparison.subject.is_peer for comparison in comparisons)
    tested = f" with {suite.client} {baseline.client_version}"
    sentences = (
        f"Of {total:,} tests of {archive.name.replace('-', ' ')}, {passed:,} pass"
        f"{tested * (suite.client != suite.archive)} without instrumentation; "
        f"{instrumented:,} call an instrumented method."
        f"{' Other instrumentations ran only these.' * other}"
    )
    lines = [
        f"## {suite.client}",
        "",
        *textwrap.wrap(sentences, 88),
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for comparison in comparisons:
        run = comparison.run
        lines.append(
            f"| {comparison.subject.title} | {run.version} "
            f"| {len(comparison.unexpected)} | {len(comparison.expected)} "
            f"| {run.started:,} | {len(comparison.unended)} "
            f"| {len(comparison.warnings)} |"
        )
    return "\n".join([*lines, ""])
