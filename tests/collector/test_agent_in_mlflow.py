"""agent.yaml: what MLflow has of a trace that came through the collector."""

from __future__ import annotations

import json
import re
import time

import pytest
from inline_snapshot import snapshot

from .conftest import AGENT, SPANS, eventually

pytestmark = pytest.mark.e2e

# What differs from run to run.
OWN = re.compile(r"session\.id|server\.port|.*(fingerprint|trace_id|time_to_\w+)")
RANDOM = re.compile(r"call_00_\w+|\w{8}(-\w{4}){3}-\w{12}|tr-\w{32}")


def test_by_way_of_the_collector_a_trace_is_as_sent_directly(
    collector, agent, mlflow_uri, mlflow, experiment, receiver, arrived
):
    """Plain spans go to the backend meanwhile, and not to MLflow."""
    agent(
        receiver,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment,
        OTEL_TRACES_EXPORTER="mlflow",
    )
    direct = arrived()
    through = mlflow.create_experiment(f"through {time.time_ns()}")
    with collector(
        *AGENT,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=through,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
    ) as running:
        agent(
            running,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{running.port('MLFLOW')}",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        collected = arrived(through)
        eventually(lambda: len(receiver.spans) == SPANS)
    assert looks(collected) == looks(direct)
    assert {span.span_id for span in receiver.spans} == {
        span.span_id for span in collected.data.spans
    }
    assert [
        name
        for span in receiver.spans
        for name in span.attributes
        if name.startswith("mlflow.")
    ] == []


def looks(trace):
    """All that MLflow knows of it, but for when it was and whose ids it has."""
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
                RANDOM.sub(
                    "…",
                    json.dumps(
                        {k: v for k, v in span.attributes.items() if not OWN.match(k)},
                        sort_keys=True,
                    ),
                ),
            )
            for span in trace.data.spans
        ),
    )


def test_what_a_plain_span_lacks_in_mlflow_is_what_the_readme_says(
    collector, agent, mlflow_uri, experiment, arrived
):
    with collector(
        *AGENT, MLFLOW_TRACKING_URI=mlflow_uri, MLFLOW_EXPERIMENT_ID=experiment
    ) as running:
        agent(running)
        trace = arrived()
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
                "input_tokens": 1264,
                "output_tokens": 115,
                "total_tokens": 1379,
                "cache_read_input_tokens": 832,
            },
            "tools": True,
            "costs": True,
        }
    )
