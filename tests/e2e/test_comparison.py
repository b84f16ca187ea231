"""The same programs in three ways: ours is nowhere less than the others."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.comparison import _prices
from tests.comparison._comparing import compare
from tests.comparison._judging import FACTS
from tests.comparison._page import chromium
from tests.comparison._programs import PROGRAMS
from tests.comparison._running import WAYS
from tests.comparison._table import results
from tests.skipping import skip_unless_ci

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "tests" / "comparison" / "results.md"
OTHERS = [way for way in WAYS if way != "ours"]


@pytest.fixture(scope="module")
def findings(mlflow_uri):
    if chromium() is None:
        reason = "there is no chromium here: apt-get install chromium"
        skip_unless_ci(reason)
    return compare(mlflow_uri)


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("title", PROGRAMS)
def test_ours_is_at_least_as_good(findings, title, fact):
    ours = findings[title, "ours"][fact]
    for way in OTHERS:
        theirs = findings[title, way][fact]
        # Where a program has nothing of the kind, nobody can show it.
        assert (ours.rank is None) == (theirs.rank is None), way
        assert ours.rank is None or ours.rank >= theirs.rank, (way, ours, theirs)


def test_the_table_is_what_a_run_gives(findings):
    """`python -m tests.comparison --results tests/comparison/results.md` writes it."""
    written = RESULTS.read_text(encoding="utf-8")
    assert without_costs(results(findings)) == without_costs(written)
    if not _prices.peak(time.time_ns()):
        assert results(findings) == written


def test_the_documentation_has_the_summary():
    written = RESULTS.read_text(encoding="utf-8")
    rows = [line for line in written.splitlines() if line.startswith("| **")]
    assert len(rows) == len(FACTS)
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line in rows] == rows


def without_costs(text):
    """What others make of a cost is right in DeepSeek's peak hours."""
    rows = ("| cost |", "| **cost**")
    return [line for line in text.splitlines() if not line.startswith(rows)]
