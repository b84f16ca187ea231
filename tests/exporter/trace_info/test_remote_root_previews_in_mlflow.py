"""MLflow's list shows previews of a trace whose root another service exports."""

from __future__ import annotations

import time
import uuid

import pytest
from opentelemetry.trace import SpanContext

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter, _remote_root_previews

from .model_calls import handle_request

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("has_failed", [False, True])
def test_mlflow_lists_previews_with_name_and_state_of_the_remote_root(
    mlflow_server, spans, monkeypatch, has_failed
):
    from mlflow import MlflowClient

    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 0.2)
    client = MlflowClient(mlflow_server)
    experiment = client.create_experiment(f"remote root {uuid.uuid4()}")
    caller_exporter, service_exporter = (
        MlflowSpanExporter(
            tracking_uri=mlflow_server,
            experiment_id=experiment,
            promote_remote_root=False,
        )
        for _ in range(2)
    )
    caller = spans.tracer.start_span("POST /ask")
    caller_context = caller.get_span_context()
    remote_parent = SpanContext(
        caller_context.trace_id,
        caller_context.span_id,
        is_remote=True,
        trace_flags=caller_context.trace_flags,
    )
    service_exporter.export(handle_request(spans, remote_parent))
    if has_failed:
        caller.set_status(trace.Status(trace.StatusCode.ERROR))
    caller.end()
    trace_id = f"tr-{caller_context.trace_id:032x}"
    time.sleep(0.5)
    assert client.get_trace(trace_id).info.state == "IN_PROGRESS"
    caller_exporter.export(spans.take())
    deadline = time.monotonic() + 20
    while client.get_trace(trace_id).info.request_preview is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    service_exporter.shutdown()
    caller_exporter.shutdown()
    stored_trace = client.get_trace(trace_id)
    assert (stored_trace.info.request_preview, stored_trace.info.response_preview) == (
        "What?",
        "That.",
    )
    assert stored_trace.info.state == ("ERROR" if has_failed else "OK")
    assert stored_trace.info.tags["mlflow.traceName"] == "POST /ask"
    names = {span.span_id: span.name for span in stored_trace.data.spans}
    assert {
        (names.get(span.parent_id), span.name) for span in stored_trace.data.spans
    } == {
        (None, "POST /ask"),
        ("POST /ask", "POST /answer"),
        ("POST /answer", "chat m"),
    }
