"""Who says where spans go: arguments, environment, application, MLflow's default."""

from __future__ import annotations

import logging
import sys
from types import ModuleType

import pytest
from inline_snapshot import snapshot

from tests.exporter.conftest import serving

from .catalogue import AGENTS_AND_OTHERS, Catalogue, sent_to
from .conftest import LOGGER
from .sending import to

pytestmark = pytest.mark.usefixtures("catalogue")


def test_an_argument_goes_before_everything(mlflow, monkeypatch, wire, spans, lines):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nowhere.example")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "others")
    server = to(wire.uri.replace("//", "//ann:secret@"), experiment_name="agents")
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
    server = to()
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
    server = to()
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
    server = to()
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
        "opentelemetry.exporter.mlflow._destinations._local_store.Store.send",
        lambda *_: None,
    )
    store = to()
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
    server = to()
    mlflow.set_tracking_uri(wire.uri)
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["7"]
    assert "(MLFLOW_EXPERIMENT_ID)" in lines()[0]


def test_an_experiment_of_another_mlflow_is_not_meant(mlflow, wire, spans):
    with serving() as other:
        other.answers = Catalogue(AGENTS_AND_OTHERS)
        server = to(wire.uri)
        mlflow.set_tracking_uri(other.uri)
        mlflow.set_experiment("agents")
        server.send([spans.made()])
        server.close()
    assert sent_to(wire) == ["0"]


def test_mlflow_in_the_middle_of_its_import_says_nothing(monkeypatch, wire, spans):
    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.uri)
    server = to()
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["0"]


def test_a_handler_of_the_log_may_export(wire, spans, caplog):
    server = to(wire.uri)

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
