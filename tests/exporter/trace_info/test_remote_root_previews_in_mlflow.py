"""A trace whose root another service sends, as MLflow lists it."""

from __future__ import annotations

import time
import uuid

import pytest
from opentelemetry.trace import SpanContext

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter, _remote_root_previews

from .model_calls import handle_request

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("failed", [False, True])
def test_mlflow_lists_previews_with_name_and_state_of_the_remote_root(
    mlflow_server, spans, monkeypatch, failed
):
    from mlflow import MlflowClient

    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 0.2)
    client = MlflowClient(mlflow_server)
    experiment = client.create_experiment(f"elsewhere {uuid.uuid4()}")
    front, behind = (
        MlflowSpanExporter(
            tracking_uri=mlflow_server,
            experiment_id=experiment,
            promote_remote_root=False,
        )
        for _ in range(2)
    )
    caller = spans.tracer.start_span("POST /ask")
    own = caller.get_span_context()
    above = SpanContext(own.trace_id, own.span_id, True, own.trace_flags)
    behind.export(handle_request(spans, above))
    if failed:
        caller.set_status(trace.Status(trace.StatusCode.ERROR))
    caller.end()
    trace_id = f"tr-{own.trace_id:032x}"
    time.sleep(0.5)
    assert client.get_trace(trace_id).info.state == "IN_PROGRESS"
    front.export(spans.take())
    ends = time.monotonic() + 20
    while client.get_trace(trace_id).info.request_preview is None:
        assert time.monotonic() < ends
        time.sleep(0.1)
    behind.shutdown()
    front.shutdown()
    found = client.get_trace(trace_id)
    assert (found.info.request_preview, found.info.response_preview) == (
        "What?",
        "That.",
    )
    assert found.info.state == ("ERROR" if failed else "OK")
    assert found.info.tags["mlflow.traceName"] == "POST /ask"
    names = {span.span_id: span.name for span in found.data.spans}
    assert {(names.get(one.parent_id), one.name) for one in found.data.spans} == {
        (None, "POST /ask"),
        ("POST /ask", "POST /answer"),
        ("POST /answer", "chat m"),
    }
