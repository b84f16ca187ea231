"""Previews of a trace whose root another service exports."""

from __future__ import annotations

import json
import threading
import time

import pytest
from opentelemetry.trace import NonRecordingSpan

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter, _remote_root_previews
from tests.exporter.conftest import Response, error_response

from .model_calls import handle_request, make_remote_parent

MAX_TRACES = 3
PREVIEWS = ("request_preview", "response_preview")


@pytest.fixture
def exporter(fake_server, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 0.05)
    exporter = MlflowSpanExporter(
        tracking_uri=fake_server.uri, experiment_id=0, promote_remote_root=False
    )
    yield exporter
    exporter.shutdown()


def serve_trace_infos(fake_server, *results):
    """Respond to reads of trace infos with `results`, and then repeat the last one.

    A result is a trace info, None for an unknown trace, or the status of an error.
    Exports succeed, except the one whose number is `fake_server.failing_export`.
    """
    remaining_results = list(results)
    fake_server.failing_export = 0

    def respond(request):
        if request.method == "POST":
            fake_server.failing_export -= 1
            return Response(500 if fake_server.failing_export == 0 else 200)
        result = remaining_results[0]
        if len(remaining_results) > 1:
            remaining_results.pop(0)
        if isinstance(result, int):
            return Response(result, b"{}")
        if result is None:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")
        body = json.dumps({"trace": {"trace_info": result}}).encode()
        return Response(200, body, {"Content-Type": "application/json"})

    fake_server.respond = respond


def wait_for_exports(fake_server, count, timeout=5.0):
    """Return the spans of each export, and whether each span has a parent.

    Return after `count` exports, or after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        exports = get_exports(fake_server)
        if len(exports) == count:
            break
        time.sleep(0.01)
    return [
        [(span.name, bool(span.parent_span_id)) for span in request.spans]
        for request in exports
    ]


def get_exports(fake_server):
    return [request for request in fake_server.requests if request.method == "POST"]


ALL_SPANS = [("chat m", True), ("POST /answer", True)]
LOCAL_ROOT_WITHOUT_PARENT = [("POST /answer", False)]
LOCAL_ROOT_WITH_PARENT = [("POST /answer", True)]
IN_PROGRESS = {"state": "IN_PROGRESS"}
FINISHED = {"state": "OK"}


def get_read_paths(fake_server):
    return [request.path for request in fake_server.requests if request.method == "GET"]


def test_the_local_root_is_sent_without_and_then_with_its_parent(
    fake_server, exporter, spans
):
    serve_trace_infos(fake_server, None, 500, IN_PROGRESS, FINISHED)
    exporter.export(handle_request(spans, make_remote_parent()))
    assert wait_for_exports(fake_server, 3) == [
        ALL_SPANS,
        LOCAL_ROOT_WITHOUT_PARENT,
        LOCAL_ROOT_WITH_PARENT,
    ]
    assert (
        get_read_paths(fake_server) == [f"/api/3.0/mlflow/traces/tr-{0x1234:032x}"] * 4
    )


def test_the_trace_keeps_the_name_of_the_remote_root(fake_server, exporter, spans):
    serve_trace_infos(fake_server, {"state": "ERROR"})
    exporter.export(handle_request(spans, make_remote_parent(), **{"session.id": "s"}))
    wait_for_exports(fake_server, 3)
    local_root = fake_server.requests[2].spans[0]
    assert {attribute.key for attribute in local_root.attributes} == {
        "session.id",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
    }


def test_a_remote_root_with_previews_is_not_changed(fake_server, exporter, spans):
    serve_trace_infos(fake_server, FINISHED | dict.fromkeys(PREVIEWS, "text"))
    exporter.export(handle_request(spans, make_remote_parent()))
    exporter.shutdown()
    assert wait_for_exports(fake_server, 1) == [ALL_SPANS]
    assert len(get_read_paths(fake_server)) == 1


def test_shutdown_sends_previews_without_delay(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, FINISHED)
    exporter.export(handle_request(spans, make_remote_parent()))
    exporter.shutdown()
    assert wait_for_exports(fake_server, 3, 0.1) == [
        ALL_SPANS,
        LOCAL_ROOT_WITHOUT_PARENT,
        LOCAL_ROOT_WITH_PARENT,
    ]


def test_reads_stop_if_the_remote_root_does_not_arrive(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_MAX_DELAY_SECONDS", 0.2)
    serve_trace_infos(fake_server, IN_PROGRESS)
    exporter.export(handle_request(spans, make_remote_parent()))
    assert wait_for_exports(fake_server, 3, 1.0) == [ALL_SPANS]
    assert len(get_read_paths(fake_server)) == 3
    exporter.shutdown()
    assert len(get_read_paths(fake_server)) == 3


def test_the_parent_is_sent_again_after_a_failed_request(fake_server, exporter, spans):
    serve_trace_infos(fake_server, FINISHED)
    fake_server.failing_export = 3
    exporter.export(handle_request(spans, make_remote_parent(1)))
    assert wait_for_exports(fake_server, 3) == [
        ALL_SPANS,
        LOCAL_ROOT_WITHOUT_PARENT,
        LOCAL_ROOT_WITH_PARENT,
    ]
    exporter.export(handle_request(spans, make_remote_parent(2)))
    assert wait_for_exports(fake_server, 6)[3:] == [
        ALL_SPANS,
        LOCAL_ROOT_WITHOUT_PARENT,
        LOCAL_ROOT_WITH_PARENT + LOCAL_ROOT_WITH_PARENT,
    ]
    assert exporter.dropped_spans == 0


def test_a_failed_read_stops_the_other_reads(fake_server, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, 403)
    for trace_id in range(1, 4):
        exporter.export(handle_request(spans, make_remote_parent(trace_id)))
    exporter.shutdown()
    assert len(get_read_paths(fake_server)) == 1


def test_the_first_local_root_of_a_trace_gives_the_previews(
    fake_server, exporter, spans
):
    serve_trace_infos(fake_server, IN_PROGRESS, FINISHED)
    exporter.export(handle_request(spans, make_remote_parent(), "First?"))
    exporter.export(handle_request(spans, make_remote_parent(), "Second?"))
    wait_for_exports(fake_server, 4)
    root_export = get_exports(fake_server)[2]
    assert b"First?" in root_export.message.SerializeToString()


def test_spans_without_inputs_and_outputs_are_not_sent_as_roots(
    fake_server, exporter, spans
):
    context = trace.set_span_in_context(NonRecordingSpan(make_remote_parent()))
    spans.tracer.start_span("POST /answer", context).end()
    exporter.export(spans.take())
    exporter.shutdown()
    assert get_read_paths(fake_server) == []


def test_pending_previews_are_limited(fake_server, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_MAX_TRACES", MAX_TRACES)
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, FINISHED)
    for trace_id in range(1, MAX_TRACES + 3):
        exporter.export(handle_request(spans, make_remote_parent(trace_id)))
    exporter.shutdown()
    assert len(get_read_paths(fake_server)) == MAX_TRACES


def test_a_forked_child_leaves_previews_to_its_parent(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, FINISHED)
    exporter.export(handle_request(spans, make_remote_parent()))
    exporter._after_fork()
    exporter.shutdown()
    assert get_read_paths(fake_server) == []


def test_shutdown_sends_previews_if_no_thread_can_start(
    fake_server, exporter, spans, monkeypatch
):
    def refuse_to_start(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    serve_trace_infos(fake_server, FINISHED)
    with monkeypatch.context() as context:
        context.setattr(threading.Timer, "start", refuse_to_start)
        exporter.export(handle_request(spans, make_remote_parent()))
    exporter.shutdown()
    assert wait_for_exports(fake_server, 3, 0.1) == [
        ALL_SPANS,
        LOCAL_ROOT_WITHOUT_PARENT,
        LOCAL_ROOT_WITH_PARENT,
    ]


def test_nothing_is_read_if_remote_roots_are_promoted(fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=0)
    exporter.export(handle_request(spans, make_remote_parent()))
    exporter.shutdown()
    assert wait_for_exports(fake_server, 1, 0.1) == [
        [("chat m", True), ("POST /answer", False)]
    ]
    assert get_read_paths(fake_server) == []
