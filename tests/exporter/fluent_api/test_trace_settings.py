"""What the program tells MLflow about a trace, in the requests of the exporter."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace

import mlflow
import pytest
from mlflow.entities.trace_location import MlflowExperimentLocation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._fluent_api import _trace_contexts
from opentelemetry.exporter.mlflow._fluent_api._trace_context import (
    Run,
    Scoped,
    TraceContext,
    with_destination_of_root,
)
from opentelemetry.exporter.mlflow._fluent_api._trace_contexts import TraceContexts


@pytest.fixture
def destination():
    def set_destination(experiment_id, **options):
        registry = mlflow.tracing.provider._MLFLOW_TRACE_USER_DESTINATION
        registry.set(MlflowExperimentLocation(experiment_id), **options)

    yield set_destination
    mlflow.tracing.provider._MLFLOW_TRACE_USER_DESTINATION.reset()


def trace_infos(application):
    return [
        json.loads(request.body)
        for request in application.fake_server.requests
        if request.path.endswith("/traces") and request.path != "/v1/traces"
    ]


def test_request_has_the_experiment_and_the_run_of_its_trace(application, set_run):
    application.call("a")
    set_run("r1", "7")
    application.call("b")
    assert application.requests == [("1", None, ["a"]), ("7", "r1", ["b"])]


def test_one_request_has_one_run_and_one_experiment(fake_server, application, set_run):
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=1)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    for run, experiment in (("r1", "1"), ("r2", "1"), (None, "1"), ("r1", "7")):
        set_run(run, experiment)
        for name in "ab":
            tracer.start_span(f"{name} {run} {experiment}").end()
    provider.shutdown()
    assert sorted(application.requests, key=str) == [
        ("1", "r1", ["a r1 1", "b r1 1"]),
        ("1", "r2", ["a r2 1", "b r2 1"]),
        ("1", None, ["a None 1", "b None 1"]),
        ("7", "r1", ["a r1 7", "b r1 7"]),
    ]


def test_trace_with_metadata_is_sent_whole(application, set_run):
    with application.tracer.start_as_current_span("request"):
        set_run("r1")
        application.call()
        assert application.sent == []
    assert application.requests == [("1", "r1", ["chat", "request"])]


def test_trace_without_metadata_is_sent_as_it_ends(application):
    with application.tracer.start_as_current_span("request"):
        application.call()
        assert application.sent == ["chat"]


def test_span_that_starts_while_mlflow_is_imported_has_no_run(
    application, monkeypatch, set_run
):
    set_run("r1", "7")
    monkeypatch.delitem(sys.modules, "mlflow.tracking.fluent")
    application.call()
    assert application.requests == [("1", None, ["chat"])]


def test_run_of_the_thread_takes_precedence_over_that_of_another(
    application, monkeypatch, set_run
):
    fluent = mlflow.tracking.fluent
    set_run("other", "8")
    monkeypatch.setattr(fluent, "_get_latest_active_run", fluent.active_run)
    monkeypatch.setattr(fluent, "active_run", lambda: None)
    with application.tracer.start_as_current_span("request"):
        set_run("own", "7")
        application.call()
    assert application.requests == [("7", "own", ["chat", "request"])]


def test_destination_of_the_context_takes_precedence(application, destination):
    destination("5")

    def work():
        destination("6", context_local=True)
        application.call("b")

    with application.tracer.start_as_current_span("a"):
        pass
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [(e, names) for e, _, names in application.requests] == [
        ("5", ["a"]),
        ("6", ["b"]),
    ]


def test_trace_stays_in_its_experiment(application, destination):
    with application.tracer.start_as_current_span("request"):
        application.call()
        destination("5", context_local=True)
        application.call()
    assert {experiment for experiment, _, _ in application.requests} == {"1"}


def test_ids_of_another_tracking_uri_do_not_count(application, monkeypatch, set_run):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    set_run("r1", "7")
    application.call()
    assert application.requests == [("1", None, ["chat"])]


@pytest.mark.usefixtures("application")
def test_context_is_on_root_and_spans(application):
    with (
        application.tracer.start_as_current_span("request"),
        mlflow.tracing.context(
            session_id="s",
            user="u",
            tags={"team": "red", "mlflow.traceName": "other"},
            metadata={"build": "7"},
        ),
    ):
        application.call(**{"session.id": "of the span"})
    (request,) = [r for r in application.fake_server.requests if r.path == "/v1/traces"]
    chat = request.string_attributes("chat")
    root = request.string_attributes("request")
    assert (chat["session.id"], chat["user.id"]) == ("s", "u")
    assert root["mlflow.traceTag.team"] == "red"
    assert root["mlflow.traceTag.mlflow.traceName"] == "request"
    assert "mlflow.traceMetadata.build" not in root
    (info,) = trace_infos(application)
    assert info["trace"]["trace_info"]["trace_metadata"]["build"] == "7"
    others = {
        s.name: dict(s.attributes) for s in application.memory.get_finished_spans()
    }
    assert others == {
        "request": {},
        "chat": {"gen_ai.operation.name": "chat", "session.id": "of the span"},
    }


def test_first_values_count():
    first = TraceContext(context_metadata={"a": "1"}, tags={"t": "1"})
    first.add(TraceContext(context_metadata={"a": "2", "b": "2"}, tags={"t": "2"}))
    assert first.metadata == {"a": "1", "b": "2"}
    assert first.tags == {"t": "1"}
    first.run = Scoped(Run("r1", "1"), is_local=True)
    first.add(TraceContext(run=Scoped(Run("r2", "2"), is_local=True)))
    assert first.id_metadata == {"mlflow.sourceRun": "r1"}


def test_argument_of_a_fluent_root_is_its_destination():
    context = with_destination_of_root(None, {"mlflow.experimentId": '"9"'})
    assert context.experiment_id == "9"
    context = with_destination_of_root(
        replace(context, tracking_uri="x"), {"mlflow.experimentId": '"8"'}
    )
    assert (context.experiment_id, context.tracking_uri) == ("8", "x")


def test_oldest_traces_are_forgotten(monkeypatch):
    monkeypatch.setattr(_trace_contexts, "_MAX_TRACES", 2)
    contexts = TraceContexts()
    for trace_id in (1, 2, 3):
        contexts.add(trace_id, TraceContext(tags={"a": "b"}))
    assert (contexts.get(1), contexts.is_empty) == (None, False)
    assert contexts.take_target(1, bool) is None
