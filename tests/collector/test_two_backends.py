"""One run of the agent, two destinations: MLflow, and Phoenix as it comes from PyPI."""

from __future__ import annotations

import pytest

from .conftest import AGENT, SAID, SPANS, eventually
from .phoenix import phoenix

pytestmark = pytest.mark.e2e


def test_all_spans_are_at_both_and_content_at_mlflow_alone(
    collector, agent, mlflow_uri, experiment, arrived, tmp_path
):
    with (
        phoenix(tmp_path) as other,
        collector(
            *AGENT,
            BACKEND_OTLP_ENDPOINT=other.endpoint,
            MLFLOW_TRACKING_URI=mlflow_uri,
            MLFLOW_EXPERIMENT_ID=experiment,
            OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
        ) as running,
    ):
        agent(
            running,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{running.port('MLFLOW')}",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        trace = arrived()
        eventually(lambda: len(other.spans) == SPANS)
        theirs = other.spans
    assert {
        (span["context"]["span_id"], span["parent_id"], span["name"]) for span in theirs
    } == {(span.span_id, span.parent_id, span.name) for span in trace.data.spans}
    assert {span["context"]["trace_id"] for span in theirs} == {
        trace.info.trace_id.removeprefix("tr-")
    }
    kept = str([span.attributes for span in trace.data.spans])
    assert [word for word in SAID if word not in kept] == []
    assert [word for word in SAID if word in str(theirs)] == []
    # Phoenix reads what is left of the calls.
    calls = [span for span in theirs if span["name"].startswith("chat ")]
    assert {span["attributes"]["gen_ai.usage.input_tokens"] for span in calls} == {
        span.attributes["gen_ai.usage.input_tokens"]
        for span in trace.data.spans
        if span.name.startswith("chat ")
    }
