"""The experiment that spans are exported to."""

from __future__ import annotations

import threading
import time

import pytest

from tests.exporter.conftest import Answer, mlflow_error

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
    monkeypatch, wire, spans, arguments, environment, experiment
):
    wire.answers = ExperimentsApi({"agents": ("5", "active")})
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_EXPERIMENT_{name}", value)
    destination = new_destination(wire.uri, **arguments)
    assert wire.requests == []
    destination.send([spans.made()])
    destination.send([spans.made()])
    destination.close()
    assert experiment_ids(wire) == [experiment, experiment]
    assert len(wire.requests) <= 3


@pytest.mark.parametrize("loses_creation_race", [False, True])
def test_missing_experiment_is_created(wire, spans, loses_creation_race):
    wire.answers = ExperimentsApi(loses_creation_race=loses_creation_race)
    destination = new_destination(wire.uri, experiment_name="new")
    destination.send([spans.made()])
    destination.close()
    assert experiment_ids(wire) == ["9"]


def test_threads_look_up_name_once(wire, spans):
    experiments_api = ExperimentsApi()

    def answers(request):
        time.sleep(0.05)
        return experiments_api(request)

    wire.answers = answers
    destination = new_destination(wire.uri, experiment_name="new")
    batches = [[spans.made()] for _ in range(5)]
    threads = [
        threading.Thread(target=destination.send, args=(batch,)) for batch in batches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    destination.close()
    assert experiment_ids(wire) == ["9"] * 5
    assert len(wire.requests) == 7


def test_deleted_experiment_is_used_after_restore(wire, spans):
    wire.answers = ExperimentsApi({"old": ("5", "deleted")})
    destination = new_destination(wire.uri, experiment_name="old")
    error = export_error(destination, [spans.made()])
    assert error.cause == "experiment 'old' is deleted"
    assert "restore" in error.advice
    assert experiment_ids(wire) == []
    wire.answers = ExperimentsApi({"old": ("5", "active")})
    destination.send([spans.made()])
    destination.close()
    assert experiment_ids(wire) == ["5"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (mlflow_error(401, ""), "the server requires valid credentials (401)"),
        (
            mlflow_error(400, "INVALID_PARAMETER_VALUE"),
            "the request failed (400 INVALID_PARAMETER_VALUE)",
        ),
        (
            Answer(200, b"<html>", {"Content-Type": "text/html"}),
            "the response does not come from MLflow (200)",
        ),
        (Answer(404, b"Not here", {}), "the server does not have this path (404)"),
        (
            Answer(200, b'{"experiment": 1}', {}),
            "the response does not come from MLflow (200)",
        ),
    ],
)
@pytest.mark.parametrize("fails_at_creation", [False, True])
def test_failed_lookup_or_creation_gives_cause(
    wire, spans, answer, cause, fails_at_creation
):
    wire.answers = lambda request: (
        mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
        if fails_at_creation and request.method == "GET"
        else answer
    )
    destination = new_destination(wire.uri, experiment_name="agents")
    error = export_error(destination, [spans.made()])
    destination.close()
    assert error.cause.startswith(cause)
    assert not error.is_divisible
    assert experiment_ids(wire) == []


def test_name_is_looked_up_again_after_failure(wire, spans):
    destination = new_destination(
        f"http://127.0.0.1:{unused_port()}", experiment_name="agents"
    )
    error = export_error(destination, [spans.made()])
    assert error.cause == "the connection failed (Connection refused)"
    destination.close()

    destination = new_destination(wire.uri, experiment_name="agents")
    wire.answers = lambda _: Answer(502)
    assert export_error(destination, [spans.made()]).cause == "the request failed (502)"
    wire.answers = ExperimentsApi({"agents": ("5", "active")})
    destination.send([spans.made()])
    destination.close()
    assert experiment_ids(wire) == ["5"]
