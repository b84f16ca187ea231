"""Functions that process spans do so before anything leaves for MLflow."""

from __future__ import annotations

import json

import mlflow
import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not hasattr(mlflow.tracing, "configure"), reason="MLflow has no configure"
    ),
]

SECRET = "4111"


def content(trace):
    return json.dumps(trace.to_dict(), default=str)


@pytest.mark.parametrize("place", ["call", "agent"])
def test_functions_run_before_a_span_is_sent(run_beside_autolog, recorder, place):
    *others, run = runs = run_beside_autolog(recorder, "span_processors", place)
    for each in runs:
        assert SECRET not in content(each.trace)
        assert "[card]" in content(each.trace)
        assert "[card]" in each.trace.info.request_preview
        assert each.questions == ["My card is [card]."]
    span = run.trace.data.spans[-1]
    assert span.span_type == "CHAT_MODEL"
    for other in others:
        assert run.trace.info.token_usage == other.trace.info.token_usage
    # Other exporters see the same as without MLflow.
    assert SECRET in str([span.attributes for span in run.receiver.spans])


def test_functions_of_a_block_process_its_spans(run_program, recorder):
    run = run_program(recorder, "temporary_span_processors")
    assert run.questions == ["My card is [card].", "My name is Ada."]


def test_content_is_withheld_if_a_function_fails(run_program, recorder):
    run = run_program(recorder, "failing_span_processor")
    (span,) = run.trace.data.spans
    assert span.name == "withheld"
    assert (span.inputs, span.outputs) == (None, None)
    assert SECRET not in content(run.trace)
    assert run.trace.info.token_usage["total_tokens"] > 0
    assert "span_processors=…) raised LookupError" in run.errors
    assert SECRET in str([span.attributes for span in run.receiver.spans])
