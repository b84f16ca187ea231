"""Tests programs that switch MLflow's tracing off, or that record no traces there."""

from __future__ import annotations

import pytest

from tests.exporter.mlflow_bridge.mlflow_names import SAMPLING_RATIO, require_name

from .agent_run import CHAT, assert_complete_trees

RATIO = {"MLFLOW_TRACE_SAMPLING_RATIO": "0"}


def require_sampling_ratio(variables):
    if variables:
        require_name(*SAMPLING_RATIO)


pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("program", "variables"),
    [("disabled", {}), ("plain", RATIO)],
)
def test_model_calls_go_to_otlp_only(run_program, program, variables):
    require_sampling_ratio(variables)
    run = run_program(program, creates_spans=False, **variables)
    assert run.mlflow_trees == []
    assert run.otlp_trees == [CHAT, CHAT]


@pytest.mark.parametrize("variables", [{}, RATIO])
def test_model_calls_keep_their_parent_at_otlp(run_program, variables):
    program = "plain_in_request" if variables else "disabled_in_request"
    require_sampling_ratio(variables)
    run = run_program(program, creates_spans=False, **variables)
    assert run.mlflow_trees == []
    assert run.otlp_trees == [("POST /ask", [CHAT, CHAT])]


def test_mlflow_sampling_decides_for_the_whole_tree(run_program):
    require_name(*SAMPLING_RATIO)
    assert_complete_trees(
        run_program(
            "plain",
            OTEL_TRACES_SAMPLER="parentbased_traceidratio",
            OTEL_TRACES_SAMPLER_ARG="0",
        )
    )
