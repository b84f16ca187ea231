"""The experiment of a server that spans go into."""

from __future__ import annotations

import threading
import time

import pytest

from tests.exporter.conftest import Answer, mlflow_error

from .catalogue import Catalogue, sent_to
from .sending import refused, to, unused_port


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
def test_which_experiment_it_is(
    monkeypatch, wire, spans, arguments, environment, experiment
):
    wire.answers = Catalogue({"agents": ("5", "active")})
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_EXPERIMENT_{name}", value)
    server = to(wire.uri, **arguments)
    assert wire.requests == []
    server.send([spans.made()])
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == [experiment, experiment]
    assert len(wire.requests) <= 3


@pytest.mark.parametrize("others_are_faster", [False, True])
def test_a_missing_experiment_is_created(wire, spans, others_are_faster):
    wire.answers = Catalogue(others_are_faster=others_are_faster)
    server = to(wire.uri, experiment_name="new")
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["9"]


def test_threads_look_a_name_up_once(wire, spans):
    catalogue = Catalogue()

    def answers(request):
        time.sleep(0.05)
        return catalogue(request)

    wire.answers = answers
    server = to(wire.uri, experiment_name="new")
    batches = [[spans.made()] for _ in range(5)]
    threads = [threading.Thread(target=server.send, args=(b,)) for b in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.close()
    assert sent_to(wire) == ["9"] * 5
    assert len(wire.requests) == 7


def test_a_deleted_experiment_is_to_be_restored(wire, spans):
    wire.answers = Catalogue({"old": ("5", "deleted")})
    server = to(wire.uri, experiment_name="old")
    why = refused(server.send, [spans.made()])
    assert why.cause == "the experiment 'old' is deleted"
    assert "restore" in why.advice
    assert sent_to(wire) == []
    wire.answers = Catalogue({"old": ("5", "active")})
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (mlflow_error(401, ""), "it wants other credentials (401)"),
        (
            mlflow_error(400, "INVALID_PARAMETER_VALUE"),
            "it fails (400 INVALID_PARAMETER_VALUE)",
        ),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), "the address leads"),
        (Answer(404, b"Not here", {}), "it has no such page (404)"),
        (Answer(200, b'{"experiment": 1}', {}), "the address leads elsewhere (200)"),
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_a_name_that_cannot_be_looked_up(wire, spans, answer, cause, create):
    wire.answers = lambda request: (
        mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
        if create and request.method == "GET"
        else answer
    )
    server = to(wire.uri, experiment_name="agents")
    why = refused(server.send, [spans.made()])
    server.close()
    assert why.cause.startswith(cause)
    assert not why.is_divisible
    assert sent_to(wire) == []


def test_a_name_is_looked_up_again_when_the_server_is_back(wire, spans):
    server = to(f"http://127.0.0.1:{unused_port()}", experiment_name="agents")
    why = refused(server.send, [spans.made()])
    assert why.cause == "no connection (Connection refused)"
    server.close()

    server = to(wire.uri, experiment_name="agents")
    wire.answers = lambda _: Answer(502)
    assert refused(server.send, [spans.made()]).cause == "it fails (502)"
    wire.answers = Catalogue({"agents": ("5", "active")})
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5"]
