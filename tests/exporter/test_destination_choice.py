"""Who says where spans go: arguments, environment, application, MLflow's default."""

from __future__ import annotations

import json
import logging
import sys
from importlib import metadata
from types import ModuleType

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._destination import UndeliveredError, destination

from .conftest import Answer, mlflow_error, serving

LOGGER = "opentelemetry.exporter.mlflow"


def made(tracking_uri=None, experiment_id=None, experiment_name=None):
    return destination(
        tracking_uri=tracking_uri,
        experiment_id=experiment_id,
        experiment_name=experiment_name,
        timeout=None,
    )


class Catalogue:
    """The experiments `agents` and `others` of a server."""

    NUMBERS = {"agents": "5", "others": "6"}  # noqa: RUF012  # never changed

    def __call__(self, request):
        if request.path == "/v1/traces":
            return Answer()
        name = request.path.partition("experiment_name=")[2]
        if name not in self.NUMBERS:
            return mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
        experiment = {
            "experiment_id": self.NUMBERS[name],
            "name": name,
            "lifecycle_stage": "active",
            "artifact_location": "mlflow-artifacts:/",
        }
        body = json.dumps({"experiment": experiment}).encode()
        return Answer(body=body, headers={"Content-Type": "application/json"})


@pytest.fixture
def wire(wire):
    wire.answers = Catalogue()
    return wire


@pytest.fixture
def mlflow(monkeypatch):
    """As an application has it that has imported it, and called nothing yet."""
    import mlflow
    import mlflow.tracking.fluent

    # Both functions set these, and monkeypatch takes them back.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    monkeypatch.setattr(mlflow.tracking.fluent, "_active_experiment_id", None)
    mlflow.set_tracking_uri(None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    yield mlflow
    mlflow.set_tracking_uri(None)


@pytest.fixture
def lines(caplog):
    """What our logger says, with the wire's address left out."""
    caplog.set_level(logging.INFO, LOGGER)

    def said(*wires):
        texts = [
            f"{record.levelname} {record.getMessage()}"
            for record in caplog.records
            if record.name == LOGGER
        ]
        for number, one in enumerate(wires):
            texts = [text.replace(one.uri, f"<{number}>") for text in texts]
        return texts

    return said


def sent_to(wire):
    return [
        request.headers["x-mlflow-experiment-id"]
        for request in wire.requests
        if request.path == "/v1/traces"
    ]


# --- the rules


def test_an_argument_goes_before_everything(mlflow, monkeypatch, wire, spans, lines):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nowhere.example")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "others")
    server = made(wire.uri.replace("//", "//ann:secret@"), experiment_name="agents")
    mlflow.set_tracking_uri(wire.uri + "/")
    mlflow.set_experiment("others")
    server.send([spans.made()])
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5", "5"]
    assert lines(wire) == snapshot(
        [
            (
                "INFO Spans go to MLflow at <0> (the argument tracking_uri), into the "
                "experiment 'agents' (the argument experiment_name)"
            )
        ]
    )


def test_the_environment_goes_before_the_application(
    mlflow, monkeypatch, wire, spans, lines
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "agents")
    server = made()
    mlflow.set_tracking_uri(wire.uri)
    mlflow.set_experiment("others")
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5"]
    assert lines(wire) == snapshot(
        [
            (
                "INFO Spans go to MLflow at <0> (MLFLOW_TRACKING_URI), into the "
                "experiment 'agents' (MLFLOW_EXPERIMENT_NAME)"
            )
        ]
    )


def test_what_the_application_says_counts_though_it_says_it_later(
    mlflow, wire, spans, lines
):
    server = made()
    mlflow.set_tracking_uri(wire.uri)
    mlflow.set_experiment("agents")
    server.send([spans.made()])
    server.close()
    assert server.address == wire.uri
    assert sent_to(wire) == ["5"]
    assert lines(wire) == snapshot(
        [
            (
                "INFO Spans go to MLflow at <0> (mlflow.set_tracking_uri), into the "
                "experiment 5 (mlflow.set_experiment)"
            )
        ]
    )


def test_what_the_application_said_before_counts_too(mlflow, wire, spans, lines):
    """MLflow sets the variables then, so they are the rule that is named."""
    mlflow.set_tracking_uri(wire.uri)
    mlflow.set_experiment("agents")
    server = made()
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5"]
    assert lines(wire) == snapshot(
        [
            (
                "INFO Spans go to MLflow at <0> (MLFLOW_TRACKING_URI), into the "
                "experiment 5 (MLFLOW_EXPERIMENT_ID)"
            )
        ]
    )


def test_without_anybodys_word_it_is_mlflows_default(
    monkeypatch, tmp_path, spans, lines
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "opentelemetry.exporter.mlflow._destination._store.Store.send", lambda *_: None
    )
    store = made()
    store.send([spans.made()])
    assert lines() == snapshot(
        [
            (
                "INFO Spans go to MLflow at sqlite:///mlflow.db (MLflow's default), "
                "into the experiment 0 (MLflow's default)"
            )
        ]
    )


def test_half_of_it_may_be_the_applications(mlflow, monkeypatch, wire, spans, lines):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    server = made()
    mlflow.set_tracking_uri(wire.uri)
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["7"]
    assert "(MLFLOW_EXPERIMENT_ID)" in lines()[0]


def test_an_experiment_of_another_mlflow_is_not_meant(mlflow, wire, spans):
    with serving() as other:
        other.answers = Catalogue()
        server = made(wire.uri)
        mlflow.set_tracking_uri(other.uri)
        mlflow.set_experiment("agents")
        server.send([spans.made()])
        server.close()
    assert sent_to(wire) == ["0"]


# --- when it changes


def test_what_nobody_has_named_yet_is_asked_for_again(mlflow, wire, spans, lines):
    """As when a span ends between the application's two calls."""
    server = made()
    mlflow.set_tracking_uri(wire.uri)
    server.send([spans.made()])
    mlflow.set_experiment("agents")
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["0", "5"]
    assert lines(wire) == snapshot(
        [
            (
                "INFO Spans go to MLflow at <0> (mlflow.set_tracking_uri), into the "
                "experiment 0 (MLflow's default)"
            ),
            (
                "INFO Spans go to MLflow at <0> (mlflow.set_tracking_uri), into the "
                "experiment 5 (mlflow.set_experiment)"
            ),
        ]
    )


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("moved", ["uri", "experiment"])
def test_what_was_named_stays_and_a_move_is_said_once(
    mlflow, wire, spans, lines, before, moved
):
    """`before`: the application had called them when the exporter was made."""
    server = None if before else made()
    mlflow.set_tracking_uri(wire.uri)
    mlflow.set_experiment("agents")
    server = server or made()
    server.send([spans.made()])
    if moved == "uri":
        mlflow.set_tracking_uri("http://127.0.0.1:9")
    else:
        mlflow.set_experiment("others")
    server.send([spans.made()])
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5", "5", "5"]
    assert lines(wire)[1:] == snapshot(
        [
            (
                "WARNING The application has turned to another place with "
                "mlflow.set_tracking_uri or mlflow.set_experiment. Spans go on to <0>, "
                "into the experiment 5; a new MlflowSpanExporter would send them "
                "elsewhere. (This is said once.)"
            )
        ]
    )


# --- when it cannot be meant


def test_an_address_of_the_application_may_be_wrong_until_it_is_right(
    mlflow, wire, spans
):
    server = made()
    mlflow.set_tracking_uri("file:///tmp/mlruns")
    with pytest.raises(UndeliveredError) as caught:
        server.send([spans.made()])
    assert caught.value.cause == snapshot(
        "mlflow.set_tracking_uri: MLflow keeps no spans in files "
        "('file:///tmp/mlruns'). A store is sqlite:///mlflow.db, a server "
        "http://localhost:5000"
    )
    assert not caught.value.divisible
    assert server.wants_whole_traces is False
    mlflow.set_tracking_uri(wire.uri)
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["0"]


def test_a_default_that_is_not_installed_is_said_at_the_first_export(
    mlflow, monkeypatch, wire, spans
):
    """An application with `mlflow-tracing` alone may name a server until then."""

    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    store = made()
    store.close()
    store.after_fork()
    assert store.address == "sqlite:///mlflow.db"
    with pytest.raises(UndeliveredError, match="pip install mlflow"):
        store.send([spans.made()])
    mlflow.set_tracking_uri(wire.uri)
    store.send([spans.made()])
    assert sent_to(wire) == ["0"]


def test_mlflow_in_the_middle_of_its_import_says_nothing(monkeypatch, wire, spans):
    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.uri)
    server = made()
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["0"]


def test_a_handler_of_the_log_may_export(wire, spans, caplog):
    server = made(wire.uri)

    class Exporting(logging.Handler):
        def emit(self, record):
            server.send([spans.made()])

    caplog.set_level(logging.INFO, LOGGER)
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler := Exporting())
    try:
        server.send([spans.made()])
    finally:
        logger.removeHandler(handler)
        server.close()
    assert sent_to(wire) == ["0", "0"]
