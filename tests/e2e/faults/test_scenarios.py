"""The short form of each scenario passes its marks."""

from __future__ import annotations

import pytest

from .scenarios import TESTED_SCENARIOS
from .table import Cell

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "scenario", TESTED_SCENARIOS, ids=lambda scenario: scenario.name
)
def test_scenario_passes_its_marks(scenario, mlflow):
    assert_passes(scenario, mlflow)


def assert_passes(scenario, mlflow):
    outcome = scenario.short(mlflow, "mlflow")
    cell = Cell.of(outcome, scenario.marks_of(is_short=True))
    exports = [
        (round(e.elapsed, 1), e.outcome, len(e.span_ids)) for e in outcome.exports
    ]
    assert cell.failures == (), (cell.figures, exports, outcome.log[-2000:])
