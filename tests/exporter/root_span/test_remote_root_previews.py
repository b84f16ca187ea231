"""The question and the answer of a trace whose root another service sends."""

from __future__ import annotations

import json
import threading
import time

import pytest
from opentelemetry.trace import NonRecordingSpan

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter, _remote_root_previews
from tests.exporter.conftest import Answer, mlflow_error

from .calls import handled, remote

MOST = 3
PREVIEWS = ("request_preview", "response_preview")


@pytest.fixture
def exporter(wire, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 0.05)
    made = MlflowSpanExporter(
        tracking_uri=wire.uri, experiment_id=0, promote_remote_root=False
    )
    yield made
    made.shutdown()


def listing(wire, *rows):
    """The server's list says this of a trace, one after the other, the last for ever.

    A number is a refusal; and True one of spans.
    """
    left = list(rows)
    wire.failing = 0

    def answer(request):
        if request.method == "POST":
            wire.failing -= 1
            return Answer(500 if wire.failing == 0 else 200)
        row = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(row, int):
            return Answer(row, b"{}")
        if row is None:
            return mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
        body = json.dumps({"trace": {"trace_info": row}}).encode()
        return Answer(200, body, {"Content-Type": "application/json"})

    wire.answers = answer


def sent(wire, number, seconds=5.0):
    """The spans of each request, and if they have parents, once there are `number`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = [one for one in list(wire.requests) if one.method == "POST"]
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


def asks(wire):
    return [one.path for one in wire.requests if one.method == "GET"]


def test_once_the_root_is_there_it_is_one_for_a_moment(wire, exporter, spans):
    listing(wire, None, 500, OPEN, OVER)
    exporter.export(handled(spans, remote()))
    assert sent(wire, 3) == [WHOLE, AS_A_ROOT, AS_IT_IS]
    assert asks(wire) == [f"/api/3.0/mlflow/traces/tr-{0x1234:032x}"] * 4


def test_its_name_is_the_callers(wire, exporter, spans):
    listing(wire, {"state": "ERROR"})
    exporter.export(handled(spans, remote(), **{"session.id": "s"}))
    sent(wire, 3)
    as_a_root = wire.requests[2].spans[0]
    assert {one.key for one in as_a_root.attributes} == {
        "session.id",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
    }


def test_where_the_root_says_it_all_that_stays(wire, exporter, spans):
    listing(wire, OVER | dict.fromkeys(PREVIEWS, "said"))
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(wire, 1) == [WHOLE]
    assert len(asks(wire)) == 1


def test_at_the_end_it_does_not_wait(wire, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(wire, OVER)
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(wire, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_a_root_that_does_not_come_is_not_waited_for(
    wire, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_MAX_DELAY_SECONDS", 0.2)
    listing(wire, OPEN)
    exporter.export(handled(spans, remote()))
    assert sent(wire, 3, 1.0) == [WHOLE]
    assert len(asks(wire)) == 3
    exporter.shutdown()
    assert len(asks(wire)) == 3


def test_it_does_not_stay_a_root_where_the_server_fails_in_between(
    wire, exporter, spans
):
    listing(wire, OVER)
    wire.failing = 3
    exporter.export(handled(spans, remote(1)))
    assert sent(wire, 3) == [WHOLE, AS_A_ROOT, AS_IT_IS]
    exporter.export(handled(spans, remote(2)))
    assert sent(wire, 6)[3:] == [WHOLE, AS_A_ROOT, AS_IT_IS + AS_IT_IS]
    assert exporter.dropped_spans == 0


def test_who_does_not_answer_for_one_is_not_asked_for_the_others(
    wire, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(wire, 403)
    for trace_id in range(1, 4):
        exporter.export(handled(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(asks(wire)) == 1


def test_the_first_question_of_a_trace_counts(wire, exporter, spans):
    listing(wire, OPEN, OVER)
    exporter.export(handled(spans, remote(), "First?"))
    exporter.export(handled(spans, remote(), "Second?"))
    sent(wire, 4)
    as_a_root = [one for one in wire.requests if one.method == "POST"][2]
    assert b"First?" in as_a_root.message.SerializeToString()


def test_without_content_there_is_nothing_to_show(wire, exporter, spans):
    context = trace.set_span_in_context(NonRecordingSpan(remote()))
    spans.tracer.start_span("POST /answer", context).end()
    exporter.export(spans.take())
    exporter.shutdown()
    assert asks(wire) == []


def test_what_waits_is_bounded(wire, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_MAX_TRACES", MOST)
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(wire, OVER)
    for trace_id in range(1, MOST + 3):
        exporter.export(handled(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(asks(wire)) == MOST


def test_a_forked_child_leaves_it_to_the_parent(wire, exporter, spans, monkeypatch):
    monkeypatch.setattr(_remote_root_previews, "_FIRST_DELAY_SECONDS", 60.0)
    listing(wire, OVER)
    exporter.export(handled(spans, remote()))
    exporter._after_fork()
    exporter.shutdown()
    assert asks(wire) == []


def test_where_no_thread_starts_any_more_the_end_shows_it(
    wire, exporter, spans, monkeypatch
):
    def refuse(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    listing(wire, OVER)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Timer, "start", refuse)
        exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(wire, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_where_it_is_the_root_itself_nobody_is_asked(wire, spans):
    exporter = MlflowSpanExporter(tracking_uri=wire.uri, experiment_id=0)
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(wire, 1, 0.1) == [[("chat m", True), ("POST /answer", False)]]
    assert asks(wire) == []
