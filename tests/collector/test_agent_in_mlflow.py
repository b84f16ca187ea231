"""How MLflow shows a trace that it received through agent.yaml."""

from __future__ import annotations

import json
import re
import time

import pytest
from inline_snapshot import snapshot

from .conftest import AGENT_CONFIG, AGENT_SPAN_COUNT, wait_until

pytestmark = pytest.mark.e2e

# Attributes and ids that differ from run to run.
VOLATILE_ATTRIBUTES = re.compile(
    r"session\.id|server\.port|.*(fingerprint|trace_id|time_to_\w+)"
)
RANDOM_IDS = re.compile(r"call_\d\d_\w+|\w{8}(-\w{4}){3}-\w{12}|tr-\w{32}")


def test_trace_through_collector_equals_trace_sent_directly(
    make_collector,
    run_agent,
    mlflow_uri,
    mlflow_client,
    experiment_id,
    receiver,
    wait_for_agent_trace,
):
    """The spans of the OTLP exporter go only to the backend."""
    run_agent(
        receiver,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
        OTEL_TRACES_EXPORTER="mlflow",
    )
    direct_trace = wait_for_agent_trace()
    collector_experiment_id = mlflow_client.create_experiment(
        f"collector {time.time_ns()}"
    )
    with make_collector(
        *AGENT_CONFIG,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=collector_experiment_id,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
    ) as collector:
        run_agent(
            collector,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{collector.port('MLFLOW')}",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        collector_trace = wait_for_agent_trace(collector_experiment_id)
        wait_until(lambda: len(receiver.spans) == AGENT_SPAN_COUNT)
    assert stable_content(collector_trace) == stable_content(direct_trace)
    assert {span.span_id for span in receiver.spans} == {
        span.span_id for span in collector_trace.data.spans
    }
    assert [
        name
        for span in receiver.spans
        for name in span.attributes
        if name.startswith("mlflow.")
    ] == []


def stable_content(trace):
    """Returns all that MLflow stores of a trace, except times and ids."""
    info = trace.info
    return (
        {
            key: value
            for key, value in info.tags.items()
            if key != "mlflow.artifactLocation"
        },
        {
            key: value
            for key, value in info.trace_metadata.items()
            if key not in {"mlflow.trace.session", "mlflow.trace.sizeBytes"}
            and not key.startswith("mlflow.trace.sizeStats")
        },
        info.request_preview,
        info.response_preview,
        info.state,
        sorted(
            (
                span.name,
                span.span_type,
                RANDOM_IDS.sub(
                    "…",
                    json.dumps(
                        {
                            k: v
                            for k, v in span.attributes.items()
                            if not VOLATILE_ATTRIBUTES.match(k)
                        },
                        sort_keys=True,
                    ),
                ),
            )
            for span in trace.data.spans
        ),
    )


def test_otlp_exporter_trace_in_mlflow_is_as_readme_describes(
    make_collector, run_agent, mlflow_uri, experiment_id, wait_for_agent_trace
):
    with make_collector(
        *AGENT_CONFIG,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
    ) as collector:
        run_agent(collector)
        trace = wait_for_agent_trace()
    info = trace.info
    assert {
        "name": info.tags.get("mlflow.traceName"),
        "previews": (info.request_preview, info.response_preview),
        "types": sorted({str(span.span_type) for span in trace.data.spans}),
        "session": "mlflow.trace.session" in info.trace_metadata,
        "user": info.trace_metadata.get("mlflow.trace.user"),
        "tokens": info.token_usage,
        "tools": any("mlflow.chat.tools" in s.attributes for s in trace.data.spans),
        "costs": any("mlflow.llm.cost" in s.attributes for s in trace.data.spans),
    } == snapshot(
        {
            "name": "weather talk",
            "previews": (None, None),
            "types": ["CHAT_MODEL", "None", "TOOL"],
            "session": True,
            "user": "ada",
            "tokens": {
                "input_tokens": 845,
                "output_tokens": 119,
                "total_tokens": 964,
                "cache_read_input_tokens": 384,
            },
            "tools": True,
            "costs": True,
        }
    )
