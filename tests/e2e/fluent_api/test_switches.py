"""Tracing that is off, or records a share of traces, is so for MLflow alone."""

from __future__ import annotations

import inspect
from collections import Counter

import mlflow
import mlflow.environment_variables
import pytest
from mlflow.entities.span import NoOpSpan

from .conftest import otel_trace_id

pytestmark = pytest.mark.e2e

PLACES = ["call", "agent"]
# With it, MLflow knows the decision for a span that it does not record.
CALLS_INHERIT_DECISION = "otel_span" in inspect.signature(NoOpSpan.__init__).parameters
HAS_SAMPLING_RATIO = hasattr(
    mlflow.environment_variables, "MLFLOW_TRACE_SAMPLING_RATIO"
)
QUESTION = "My card is 4111-1111-1111-1111."


@pytest.mark.parametrize("place", PLACES)
def test_nothing_goes_to_mlflow_while_tracing_is_disabled(
    run_beside_autolog, recorder, place
):
    *_, run = runs = run_beside_autolog(recorder, "disable", place)
    assert [each.questions for each in runs] == [["After.", "Before."]] * len(runs)
    assert {trace.info.state for trace in run.traces} == {"OK"}
    calls = [span for span in run.receiver.spans if span.name.startswith("chat ")]
    assert len(calls) == len(run.simulator.exchanges) == 3


@pytest.mark.skipif(
    not hasattr(mlflow.tracing, "context"), reason="MLflow has no tracing.context"
)
@pytest.mark.parametrize("place", PLACES)
def test_nothing_goes_to_mlflow_from_a_disabled_context(
    run_beside_autolog, recorder, place
):
    runs = run_beside_autolog(recorder, "disabled_context", place)
    assert [each.questions for each in runs] == [["After."]] * len(runs)


@pytest.mark.parametrize(
    "place",
    [
        "call",
        pytest.param(
            "agent",
            marks=pytest.mark.skipif(
                not HAS_SAMPLING_RATIO,
                reason="MLflow records all its traces",
            ),
        ),
    ],
)
def test_share_of_the_traces_goes_to_mlflow(run_program, recorder, place):
    run = run_program(
        recorder, "sampling_ratio", place, MLFLOW_TRACE_SAMPLING_RATIO="0.5"
    )
    # If MLflow does not record an agent, the calls in it have traces of their own. The
    # share of these is recorded where MLflow records that of autolog's calls.
    number = 2 if place == "agent" else 1
    spans_of_traces = Counter(span.trace_id for span in run.receiver.spans)
    in_share = {
        trace_id
        for trace_id, span_count in spans_of_traces.items()
        if (span_count == number or not CALLS_INHERIT_DECISION)
        and int(trace_id, 16) % 2**64 < 2**63
    }
    assert {otel_trace_id(trace): len(trace.data.spans) for trace in run.traces} == {
        trace_id: spans_of_traces[trace_id] for trace_id in in_share
    }
    calls = [span for span in run.receiver.spans if span.name.startswith("chat ")]
    assert len(calls) == 20


@pytest.mark.skipif(
    "sampling_ratio_override" not in inspect.signature(mlflow.trace).parameters,
    reason="MLflow has no sampling_ratio_override",
)
@pytest.mark.parametrize("ratio", ["0.0", "1.0"])
def test_ratio_of_a_function_takes_precedence(run_program, recorder, ratio):
    run = run_program(recorder, "sampling_override", MLFLOW_TRACE_SAMPLING_RATIO=ratio)
    assert run.questions == ["Always."]
    assert len(run.trace.data.spans) == 2
    calls = [span for span in run.receiver.spans if span.name.startswith("chat ")]
    assert len(calls) == 2


@pytest.mark.parametrize("place", PLACES)
def test_calls_that_autolog_records_too_are_recorded_once(run_program, recorder, place):
    run = run_program(recorder, "autolog_too", place)
    assert run.questions == ["After.", QUESTION]
    calls = [span for span in run.receiver.spans if span.name.startswith("chat ")]
    assert len(calls) == 2
    assert "recorded twice" not in run.errors
