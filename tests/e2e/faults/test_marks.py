"""The marks see what they are there for, and docs/delivery.md has current rows."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from .exchange import Exchange
from .outcome import ALL_ARRIVE, COUNTED, ONCE, Outcome
from .program import ROOT
from .retry_after import WAITS_AS_ASKED
from .scenarios import SCENARIOS
from .table import Cell, row, update_document

SPAN = b"12345678"
NOW = 1_800_000_000.0


def export(start: float, outcome: str = "200", retry_after: str | None = None):
    exchange = Exchange(start, 0.0, "POST", "/v1/traces", {}, b"", outcome, retry_after)
    exchange.end = start
    exchange.span_ends = {SPAN: NOW}
    exchange.is_stored = outcome == "200"
    return exchange


@pytest.mark.parametrize(
    ("retry_after", "wait", "is_passed"),
    [
        ("7", 7.5, True),
        ("7", 3, False),
        ("7", 50, False),
        (formatdate(NOW + 7, usegmt=True), 7.5, True),
        (formatdate(NOW + 7, usegmt=True), 3, False),
        ("1000000000", 60.5, True),
        ("1000000000", 30, False),
        ("1000000000", 90, False),
        ("soon", 1, True),
        ("soon", 50, False),
    ],
)
def test_retry_must_be_neither_too_early_nor_too_late(retry_after, wait, is_passed):
    exports = [export(NOW, "429", retry_after), export(NOW + wait)]
    run = Outcome(1, [SPAN], exports=exports, ended_at=NOW + 1000)
    assert WAITS_AS_ASKED.is_passed(run) == is_passed


def test_span_that_was_sent_after_a_success_is_repeated():
    run = Outcome(1, [SPAN], exports=[export(NOW), export(NOW + 1)])
    assert ONCE.figure(run) == "1 repeated"
    assert not ONCE.is_passed(run)


def test_span_whose_response_was_lost_may_be_sent_again():
    exports = [export(NOW, "LostResponse"), export(NOW + 1)]
    assert ONCE.is_passed(Outcome(1, [SPAN], exports=exports))


@pytest.mark.parametrize(
    ("dropped", "is_passed"), [(None, False), (0, False), (1, True), (2, False)]
)
def test_missing_span_must_be_counted_once(dropped, is_passed):
    assert COUNTED.is_passed(Outcome(2, [SPAN], dropped=dropped)) == is_passed
    assert not ALL_ARRIVE.is_passed(Outcome(2, [SPAN]))


def test_table_keeps_the_rows_that_did_not_run(tmp_path):
    page = tmp_path / "delivery.md"
    page.write_text(
        "a\n<!-- faults: start -->\n\n| h |\n|---|\n\n<!-- faults: end -->\nb\n"
    )
    first, second, *_ = SCENARIOS
    cell = Cell.of(Outcome(1, [SPAN]), (ALL_ARRIVE,))
    for scenario in (first, second, first):
        update_document(page, {scenario.name: row(scenario, {"mlflow": cell})})
    text = page.read_text()
    assert text.count(first.fault) == text.count(second.fault) == 1
    assert text.startswith("a\n")
    assert text.endswith("-->\nb\n")
    assert "| ✓ 1 of 1 (100.0%) | not run |" in text


def test_table_of_the_page_has_rows_of_scenarios_only():
    page = (ROOT / "docs" / "delivery.md").read_text("utf-8")
    table = page.split("faults: start")[1].split("faults: end")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    starts = tuple(
        row(scenario, {}).partition("| not run")[0] for scenario in SCENARIOS
    )
    assert [line for line in rows if not line.startswith(starts)] == []
