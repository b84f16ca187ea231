"""The question and the answer of a trace whose root another service sends."""

from __future__ import annotations

import json
import threading
import time

import pytest
from opentelemetry.trace import NonRecordingSpan

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter, _remote_root_previews
from tests.exporter.conftest import Response, error_response

from .model_calls import handle_request, remote

MOST = 3
PREVIEWS = ("request_preview", "response_preview")


@pytest.fixture
def exporter(fake_server, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 0.05)
    made = MlflowSpanExporter(
        tracking_uri=fake_server.uri, experiment_id=0, promote_remote_root=False
    )
    yield made
    made.shutdown()


def serve_trace_infos(fake_server, *rows):
    """The server's list says this of a trace, one after the other, the last for ever.

    A number is a refusal; and True one of spans.
    """
    left = list(rows)
    fake_server.failing = 0

    def answer(request):
        if request.method == "POST":
            fake_server.failing -= 1
            return Response(500 if fake_server.failing == 0 else 200)
        row = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(row, int):
            return Response(row, b"{}")
        if row is None:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")
        body = json.dumps({"trace": {"trace_info": row}}).encode()
        return Response(200, body, {"Content-Type": "application/json"})

    fake_server.respond = answer


def sent(fake_server, number, seconds=5.0):
    """The spans of each request, and if they have parents, once there are `number`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = [one for one in list(fake_server.requests) if one.method == "POST"]
        if len(found) == number:
            break
        time.sleep(0.01)
    return [
        [(span.name, bool(span.parent_span_id)) for span in request.spans]
        for request in found
    ]


WHOLE = [("chat m", True), ("POST /answer", True)]
AS_A_ROOT = [("POST /answer", False)]
AS_IT_IS = [("POST /answer", True)]
OPEN = {"state": "IN_PROGRESS"}
OVER = {"state": "OK"}


def read_count(fake_server):
    return [one.path for one in fake_server.requests if one.method == "GET"]


def test_the_local_root_is_sent_as_root_and_then_with_its_parent(
    fake_server, exporter, spans
):
    serve_trace_infos(fake_server, None, 500, OPEN, OVER)
    exporter.export(handle_request(spans, remote()))
    assert sent(fake_server, 3) == [WHOLE, AS_A_ROOT, AS_IT_IS]
    assert read_count(fake_server) == [f"/api/3.0/mlflow/traces/tr-{0x1234:032x}"] * 4


def test_the_trace_keeps_the_name_of_the_remote_root(fake_server, exporter, spans):
    serve_trace_infos(fake_server, {"state": "ERROR"})
    exporter.export(handle_request(spans, remote(), **{"session.id": "s"}))
    sent(fake_server, 3)
    as_a_root = fake_server.requests[2].spans[0]
    assert {one.key for one in as_a_root.attributes} == {
        "session.id",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
    }


def test_a_remote_root_with_previews_is_left_unchanged(fake_server, exporter, spans):
    serve_trace_infos(fake_server, OVER | dict.fromkeys(PREVIEWS, "said"))
    exporter.export(handle_request(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 1) == [WHOLE]
    assert len(read_count(fake_server)) == 1


def test_shutdown_sends_previews_without_delay(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, OVER)
    exporter.export(handle_request(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_a_remote_root_that_never_arrives_is_given_up(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_MAX_DELAY_SECONDS", 0.2)
    serve_trace_infos(fake_server, OPEN)
    exporter.export(handle_request(spans, remote()))
    assert sent(fake_server, 3, 1.0) == [WHOLE]
    assert len(read_count(fake_server)) == 3
    exporter.shutdown()
    assert len(read_count(fake_server)) == 3


def test_the_parent_is_sent_again_after_a_failed_request(fake_server, exporter, spans):
    serve_trace_infos(fake_server, OVER)
    fake_server.failing = 3
    exporter.export(handle_request(spans, remote(1)))
    assert sent(fake_server, 3) == [WHOLE, AS_A_ROOT, AS_IT_IS]
    exporter.export(handle_request(spans, remote(2)))
    assert sent(fake_server, 6)[3:] == [WHOLE, AS_A_ROOT, AS_IT_IS + AS_IT_IS]
    assert exporter.dropped_spans == 0


def test_a_failed_read_stops_the_other_reads(fake_server, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, 403)
    for trace_id in range(1, 4):
        exporter.export(handle_request(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(read_count(fake_server)) == 1


def test_the_first_local_root_of_a_trace_gives_the_previews(
    fake_server, exporter, spans
):
    serve_trace_infos(fake_server, OPEN, OVER)
    exporter.export(handle_request(spans, remote(), "First?"))
    exporter.export(handle_request(spans, remote(), "Second?"))
    sent(fake_server, 4)
    as_a_root = [one for one in fake_server.requests if one.method == "POST"][2]
    assert b"First?" in as_a_root.message.SerializeToString()


def test_spans_without_inputs_and_outputs_are_not_sent_as_roots(
    fake_server, exporter, spans
):
    context = trace.set_span_in_context(NonRecordingSpan(remote()))
    spans.tracer.start_span("POST /answer", context).end()
    exporter.export(spans.take())
    exporter.shutdown()
    assert read_count(fake_server) == []


def test_pending_previews_are_limited(fake_server, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_MAX_TRACES", MOST)
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, OVER)
    for trace_id in range(1, MOST + 3):
        exporter.export(handle_request(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(read_count(fake_server)) == MOST


def test_a_forked_child_leaves_previews_to_its_parent(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    serve_trace_infos(fake_server, OVER)
    exporter.export(handle_request(spans, remote()))
    exporter._after_fork()
    exporter.shutdown()
    assert read_count(fake_server) == []


def test_shutdown_sends_previews_if_no_thread_can_start(
    fake_server, exporter, spans, monkeypatch
):
    def refuse(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    serve_trace_infos(fake_server, OVER)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Timer, "start", refuse)
        exporter.export(handle_request(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_nothing_is_read_if_remote_roots_are_promoted(fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=0)
    exporter.export(handle_request(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 1, 0.1) == [[("chat m", True), ("POST /answer", False)]]
    assert read_count(fake_server) == []
