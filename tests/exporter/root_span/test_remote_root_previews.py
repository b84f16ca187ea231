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

from .calls import handled, remote

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


def listing(fake_server, *rows):
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


def asks(fake_server):
    return [one.path for one in fake_server.requests if one.method == "GET"]


def test_once_the_root_is_there_it_is_one_for_a_moment(fake_server, exporter, spans):
    listing(fake_server, None, 500, OPEN, OVER)
    exporter.export(handled(spans, remote()))
    assert sent(fake_server, 3) == [WHOLE, AS_A_ROOT, AS_IT_IS]
    assert asks(fake_server) == [f"/api/3.0/mlflow/traces/tr-{0x1234:032x}"] * 4


def test_its_name_is_the_callers(fake_server, exporter, spans):
    listing(fake_server, {"state": "ERROR"})
    exporter.export(handled(spans, remote(), **{"session.id": "s"}))
    sent(fake_server, 3)
    as_a_root = fake_server.requests[2].spans[0]
    assert {one.key for one in as_a_root.attributes} == {
        "session.id",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
    }


def test_where_the_root_says_it_all_that_stays(fake_server, exporter, spans):
    listing(fake_server, OVER | dict.fromkeys(PREVIEWS, "said"))
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 1) == [WHOLE]
    assert len(asks(fake_server)) == 1


def test_at_the_end_it_does_not_wait(fake_server, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(fake_server, OVER)
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_a_root_that_does_not_come_is_not_waited_for(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_MAX_DELAY_SECONDS", 0.2)
    listing(fake_server, OPEN)
    exporter.export(handled(spans, remote()))
    assert sent(fake_server, 3, 1.0) == [WHOLE]
    assert len(asks(fake_server)) == 3
    exporter.shutdown()
    assert len(asks(fake_server)) == 3


def test_it_does_not_stay_a_root_where_the_server_fails_in_between(
    fake_server, exporter, spans
):
    listing(fake_server, OVER)
    fake_server.failing = 3
    exporter.export(handled(spans, remote(1)))
    assert sent(fake_server, 3) == [WHOLE, AS_A_ROOT, AS_IT_IS]
    exporter.export(handled(spans, remote(2)))
    assert sent(fake_server, 6)[3:] == [WHOLE, AS_A_ROOT, AS_IT_IS + AS_IT_IS]
    assert exporter.dropped_spans == 0


def test_who_does_not_answer_for_one_is_not_asked_for_the_others(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(fake_server, 403)
    for trace_id in range(1, 4):
        exporter.export(handled(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(asks(fake_server)) == 1


def test_the_first_question_of_a_trace_counts(fake_server, exporter, spans):
    listing(fake_server, OPEN, OVER)
    exporter.export(handled(spans, remote(), "First?"))
    exporter.export(handled(spans, remote(), "Second?"))
    sent(fake_server, 4)
    as_a_root = [one for one in fake_server.requests if one.method == "POST"][2]
    assert b"First?" in as_a_root.message.SerializeToString()


def test_without_content_there_is_nothing_to_show(fake_server, exporter, spans):
    context = trace.set_span_in_context(NonRecordingSpan(remote()))
    spans.tracer.start_span("POST /answer", context).end()
    exporter.export(spans.take())
    exporter.shutdown()
    assert asks(fake_server) == []


def test_what_waits_is_bounded(fake_server, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_MAX_TRACES", MOST)
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(fake_server, OVER)
    for trace_id in range(1, MOST + 3):
        exporter.export(handled(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(asks(fake_server)) == MOST


def test_a_forked_child_leaves_it_to_the_parent(
    fake_server, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(fake_server, OVER)
    exporter.export(handled(spans, remote()))
    exporter._after_fork()
    exporter.shutdown()
    assert asks(fake_server) == []


def test_where_no_thread_starts_any_more_the_end_shows_it(
    fake_server, exporter, spans, monkeypatch
):
    def refuse(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    listing(fake_server, OVER)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Timer, "start", refuse)
        exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_where_it_is_the_root_itself_nobody_is_asked(fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=0)
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(fake_server, 1, 0.1) == [[("chat m", True), ("POST /answer", False)]]
    assert asks(fake_server) == []
