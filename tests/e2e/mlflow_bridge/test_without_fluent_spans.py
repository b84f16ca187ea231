"""Where MLflow makes no spans."""

from __future__ import annotations

import pytest

from .ran import CHAT, check, check_totals

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("program", "variables"),
    [("disabled", {}), ("plain", {"MLFLOW_TRACE_SAMPLING_RATIO": "0"})],
)
def test_the_calls_arrive_where_mlflow_makes_no_spans(run, program, variables):
    ran = run(program, **variables)
    assert ran.in_mlflow == [CHAT, CHAT]
    assert ran.at_otlp == [CHAT, CHAT]
    check_totals(ran)


@pytest.mark.parametrize("variables", [{}, {"MLFLOW_TRACE_SAMPLING_RATIO": "0"}])
def test_the_calls_keep_their_parent_where_mlflow_makes_no_spans(run, variables):
    program = "plain_in_request" if variables else "disabled_in_request"
    ran = run(program, **variables)
    assert ran.in_mlflow == ran.at_otlp == [("POST /ask", [CHAT, CHAT])]


def test_mlflows_sampler_decides_for_the_whole_tree(run):
    check(
        run(
            "plain",
            OTEL_TRACES_SAMPLER="parentbased_traceidratio",
            OTEL_TRACES_SAMPLER_ARG="0",
        )
    )
