"""The question and the answer of a trace whose root another service sends."""

from __future__ import annotations

import json
import threading
import time
import uuid

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter, _previews

from .conftest import Answer, mlflow_error

MOST = 3
PREVIEWS = ("request_preview", "response_preview")


def written(role, content):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}]}])


def handled(spans, above, question="What?", **more):
    """A service's own span, under a parent in another process, and a call in it."""
    context = trace.set_span_in_context(NonRecordingSpan(above))
    with spans.tracer.start_as_current_span(
        "POST /answer", context=context, attributes=more
    ):
        spans.tracer.start_span(
            "chat m",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": written("user", question),
                "gen_ai.output.messages": written("assistant", "That."),
            },
        ).end()
    return spans.take()


def remote(trace_id=0x1234):
    return SpanContext(trace_id, 0x5678, is_remote=True, trace_flags=TraceFlags(1))


@pytest.fixture
def exporter(wire, monkeypatch):
    monkeypatch.setattr(_previews, "_FIRST_PAUSE", 0.05)
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
        [
            (span.name, bool(span.parent_span_id))
            for of_resource in request.message.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]
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
    as_a_root = wire.requests[2].message.resource_spans[0].scope_spans[0].spans[0]
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
    monkeypatch.setattr(_previews, "_FIRST_PAUSE", 60.0)
    listing(wire, OVER)
    exporter.export(handled(spans, remote()))
    exporter.shutdown()
    assert sent(wire, 3, 0.1) == [WHOLE, AS_A_ROOT, AS_IT_IS]


def test_a_root_that_does_not_come_is_not_waited_for(
    wire, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_previews, "_LONGEST_PAUSE", 0.2)
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
    assert exporter.lost == 0


def test_who_does_not_answer_for_one_is_not_asked_for_the_others(
    wire, exporter, spans, monkeypatch
):
    monkeypatch.setattr(_previews, "_FIRST_PAUSE", 60.0)
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
    monkeypatch.setattr(_previews, "_MOST_TRACES", MOST)
    monkeypatch.setattr(_previews, "_FIRST_PAUSE", 60.0)
    listing(wire, OVER)
    for trace_id in range(1, MOST + 3):
        exporter.export(handled(spans, remote(trace_id)))
    exporter.shutdown()
    assert len(asks(wire)) == MOST


def test_a_forked_child_leaves_it_to_the_parent(wire, exporter, spans, monkeypatch):
    monkeypatch.setattr(_previews, "_FIRST_PAUSE", 60.0)
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


@pytest.mark.e2e
@pytest.mark.parametrize("failed", [False, True])
def test_mlflow_lists_it_with_the_callers_name_and_state(
    mlflow_server, spans, monkeypatch, failed
):
    from mlflow import MlflowClient

    monkeypatch.setattr(_previews, "_FIRST_PAUSE", 0.2)
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
    behind.export(handled(spans, above))
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
