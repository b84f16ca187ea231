"""One run of the agent reaches MLflow and Arize Phoenix."""

from __future__ import annotations

import pytest

from .conftest import (
    AGENT_CONFIG,
    AGENT_SPAN_COUNT,
    CONTENT_EXCERPTS,
    wait_until,
)
from .phoenix import start_phoenix

pytestmark = pytest.mark.e2e


def test_both_backends_receive_all_spans_but_only_mlflow_content(
    make_collector, run_agent, mlflow_uri, experiment_id, wait_for_agent_trace, tmp_path
):
    with (
        start_phoenix(tmp_path) as phoenix,
        make_collector(
            *AGENT_CONFIG,
            BACKEND_OTLP_ENDPOINT=phoenix.endpoint,
            MLFLOW_TRACKING_URI=mlflow_uri,
            MLFLOW_EXPERIMENT_ID=experiment_id,
            OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
        ) as collector,
    ):
        run_agent(
            collector,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{collector.port('MLFLOW')}",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        trace = wait_for_agent_trace()
        wait_until(lambda: len(phoenix.spans) == AGENT_SPAN_COUNT)
        phoenix_spans = phoenix.spans
    assert {
        (span["context"]["span_id"], span["parent_id"], span["name"])
        for span in phoenix_spans
    } == {(span.span_id, span.parent_id, span.name) for span in trace.data.spans}
    assert {span["context"]["trace_id"] for span in phoenix_spans} == {
        trace.info.trace_id.removeprefix("tr-")
    }
    mlflow_attributes = str([span.attributes for span in trace.data.spans])
    for excerpt in CONTENT_EXCERPTS:
        assert excerpt in mlflow_attributes
        assert excerpt not in str(phoenix_spans)
    # Phoenix has the other attributes of the calls.
    calls = [span for span in phoenix_spans if span["name"].startswith("chat ")]
    assert {span["attributes"]["gen_ai.usage.input_tokens"] for span in calls} == {
        span.attributes["gen_ai.usage.input_tokens"]
        for span in trace.data.spans
        if span.name.startswith("chat ")
    }
