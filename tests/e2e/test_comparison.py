"""Compares this package with three other tracing setups, on the same programs."""

from __future__ import annotations

import time
from importlib.metadata import version

import pytest

from tests.comparison import _prices
from tests.comparison._comparison import compare
from tests.comparison._facts import FACTS
from tests.comparison._mlflow_page import chromium_path
from tests.comparison._program_run import SETUPS
from tests.comparison._programs import PROGRAMS
from tests.comparison._table import results
from tests.comparison._versions import PAGE, read_results, tables, version_results
from tests.skipping import skip_unless_ci

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

RESULTS = PAGE.parents[1] / "tests" / "comparison" / "results.md"
VERSIONS = {"3.1", "3.6", "3.10", "3.14", "3.17"}
OTHER_SETUPS = [setup for setup in SETUPS if setup != "this package"]


@pytest.fixture(scope="module")
def cells(mlflow_uri):
    if chromium_path() is None:
        reason = "needs Chromium: apt-get install chromium"
        skip_unless_ci(reason)
    return compare(mlflow_uri)


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("title", PROGRAMS)
def test_this_package_ranks_at_least_as_high_as_the_other_setups(cells, title, fact):
    cell = cells[title, "this package"][fact]
    for setup in OTHER_SETUPS:
        other = cells[title, setup][fact]
        # A fact applies to a program or does not, whatever the setup.
        assert (cell.rank is None) == (other.rank is None), setup
        assert cell.rank is None or cell.rank >= other.rank, (setup, cell, other)


def test_results_file_matches_a_new_run(cells):
    """The file is written by `python -m tests.comparison --results FILE`."""
    text = RESULTS.read_text(encoding="utf-8")
    assert without_costs(results(cells)) == without_costs(text)
    if not _prices.is_peak(time.time_ns()):
        assert results(cells) == text


def test_documentation_has_the_rows_of_the_summary():
    text = RESULTS.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert len(rows) == len(FACTS)
    page = PAGE.read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line in rows] == rows


def test_documentation_has_the_tables_of_the_versions():
    """They are written by `python -m tests.comparison --save`."""
    assert PAGE.read_text(encoding="utf-8").count(tables()) == 1
    assert {name.rpartition(".")[0] for name in read_results()} >= VERSIONS


def test_results_of_the_installed_version_match_a_new_run(cells):
    saved = read_results().get(version("mlflow"))
    if saved is None:
        pytest.skip("no results of this version of MLflow")
    if _prices.is_peak(time.time_ns()):
        pytest.skip("the costs depend on DeepSeek's peak hours")
    assert version_results(cells, {}) == saved


def without_costs(text):
    """Removes the costs, which depend on DeepSeek's peak hours."""
    cost_rows = ("| cost |", "| **cost**")
    return [line for line in text.splitlines() if not line.startswith(cost_rows)]
