"""The experiment that spans are exported to."""

from __future__ import annotations

import threading
import time

import pytest

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.exporter.conftest import Response, error_response

from .destination import export_error, new_destination, unused_port
from .experiments_api import ExperimentsApi, experiment_ids


@pytest.mark.parametrize(
    ("arguments", "environment", "experiment"),
    [
        ({}, {}, "0"),
        ({}, {"ID": "3"}, "3"),
        ({}, {"NAME": "agents"}, "5"),
        ({}, {"ID": "3", "NAME": "agents"}, "3"),
        ({"experiment_id": 4}, {"ID": "3", "NAME": "agents"}, "4"),
        ({"experiment_name": "agents"}, {"ID": "3"}, "5"),
    ],
)
def test_experiment_is_selected_by_precedence(
    monkeypatch, fake_server, spans, arguments, environment, experiment
):
    fake_server.respond = ExperimentsApi({"agents": ("5", "active")})
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_EXPERIMENT_{name}", value)
    destination = new_destination(fake_server.uri, **arguments)
    assert fake_server.requests == []
    destination.send([spans.make()])
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == [experiment, experiment]
    assert len(fake_server.requests) <= 3


@pytest.mark.parametrize("loses_creation_race", [False, True])
def test_missing_experiment_is_created(fake_server, spans, loses_creation_race):
    fake_server.respond = ExperimentsApi(loses_creation_race=loses_creation_race)
    destination = new_destination(fake_server.uri, experiment_name="new")
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["9"]


def test_threads_look_up_name_once(fake_server, spans):
    experiments_api = ExperimentsApi()

    def respond(request):
        time.sleep(0.05)
        return experiments_api(request)

    fake_server.respond = respond
    destination = new_destination(fake_server.uri, experiment_name="new")
    batches = [[spans.make()] for _ in range(5)]
    threads = [
        threading.Thread(target=destination.send, args=(batch,)) for batch in batches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    destination.close()
    assert experiment_ids(fake_server) == ["9"] * 5
    assert len(fake_server.requests) == 7


def test_deleted_experiment_is_used_after_restore(fake_server, spans):
    fake_server.respond = ExperimentsApi({"old": ("5", "deleted")})
    destination = new_destination(fake_server.uri, experiment_name="old")
    error = export_error(destination, [spans.make()])
    assert error.cause == "experiment 'old' is deleted"
    assert "restore" in error.advice
    assert experiment_ids(fake_server) == []
    fake_server.respond = ExperimentsApi({"old": ("5", "active")})
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["5"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (error_response(401, ""), "MLflow requires valid credentials (401)"),
        (
            error_response(400, "INVALID_PARAMETER_VALUE"),
            "the request failed (400 INVALID_PARAMETER_VALUE)",
        ),
        (
            Response(200, b"<html>", {"Content-Type": "text/html"}),
            "the response does not come from MLflow (200)",
        ),
        (Response(404, b"Not here", {}), "the server does not have this path (404)"),
        (
            Response(200, b'{"experiment": 1}', {}),
            "the response does not come from MLflow (200)",
        ),
    ],
)
@pytest.mark.parametrize("fails_at_creation", [False, True])
def test_failed_lookup_or_creation_gives_cause(
    fake_server, spans, answer, cause, fails_at_creation
):
    fake_server.respond = lambda request: (
        error_response(404, "RESOURCE_DOES_NOT_EXIST")
        if fails_at_creation and request.method == "GET"
        else answer
    )
    destination = new_destination(fake_server.uri, experiment_name="agents")
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.cause.startswith(cause)
    assert not error.is_divisible
    assert experiment_ids(fake_server) == []


def test_name_is_looked_up_again_after_failure(fake_server, spans):
    destination = new_destination(
        f"http://127.0.0.1:{unused_port()}", experiment_name="agents"
    )
    error = export_error(destination, [spans.make()])
    assert error.cause == "the connection failed (Connection refused)"
    destination.close()

    destination = new_destination(fake_server.uri, experiment_name="agents")
    fake_server.respond = lambda _: Response(502)
    assert export_error(destination, [spans.make()]).cause == "the request failed (502)"
    fake_server.respond = ExperimentsApi({"agents": ("5", "active")})
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["5"]


@pytest.mark.parametrize(
    ("arguments", "environment", "is_logged"),
    [
        ({}, {"MLFLOW_EXPERIMENT_ID": "3", "MLFLOW_EXPERIMENT_NAME": "agents"}, True),
        ({"experiment_id": 3}, {"MLFLOW_EXPERIMENT_NAME": "agents"}, False),
        ({"experiment_name": "agents"}, {"MLFLOW_EXPERIMENT_ID": "3"}, False),
        ({}, {"MLFLOW_EXPERIMENT_ID": "3"}, False),
    ],
)
def test_a_name_that_an_id_overrides_is_logged(
    monkeypatch, caplog, arguments, environment, is_logged
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    MlflowSpanExporter(tracking_uri="http://127.0.0.1:9", **arguments).shutdown()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * is_logged
    assert all("The id is used" in message for message in caplog.messages)
