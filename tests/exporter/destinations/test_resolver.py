"""The precedence of arguments, environment, application and MLflow's default."""

from __future__ import annotations

import logging
import sys
from importlib import metadata
from types import ModuleType

import pytest
from inline_snapshot import snapshot

from tests.exporter.conftest import run_fake_server

from .conftest import LOGGER
from .destination import new_destination
from .experiments_api import EXPERIMENTS, ExperimentsApi, experiment_ids

pytestmark = pytest.mark.usefixtures("experiments_api")


def test_argument_takes_precedence_over_environment_and_application(
    mlflow, monkeypatch, fake_server, spans, log_lines
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nowhere.example")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "others")
    destination = new_destination(
        fake_server.uri.replace("//", "//ann:secret@"), experiment_name="agents"
    )
    mlflow.set_tracking_uri(fake_server.uri + "/")
    mlflow.set_experiment("others")
    destination.send([spans.make()])
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["5", "5"]
    assert log_lines(fake_server) == snapshot(
        [
            (
                "INFO Exporting spans to MLflow at <0> (the argument tracking_uri), "
                "experiment 'agents' (the argument experiment_name)"
                ": version 3.17.2, spans by OTLP"
            )
        ]
    )


def test_environment_takes_precedence_over_application(
    mlflow, monkeypatch, fake_server, spans, log_lines
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fake_server.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "agents")
    destination = new_destination()
    mlflow.set_tracking_uri(fake_server.uri)
    mlflow.set_experiment("others")
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["5"]
    assert log_lines(fake_server) == snapshot(
        [
            (
                "INFO Exporting spans to MLflow at <0> (MLFLOW_TRACKING_URI), "
                "experiment 'agents' (MLFLOW_EXPERIMENT_NAME)"
                ": version 3.17.2, spans by OTLP"
            )
        ]
    )


def test_application_may_set_target_after_exporter_is_created(
    mlflow, fake_server, spans, log_lines
):
    destination = new_destination()
    mlflow.set_tracking_uri(fake_server.uri)
    mlflow.set_experiment("agents")
    destination.send([spans.make()])
    destination.close()
    assert destination.address == fake_server.uri
    assert experiment_ids(fake_server) == ["5"]
    assert log_lines(fake_server) == snapshot(
        [
            (
                "INFO Exporting spans to MLflow at <0> (mlflow.set_tracking_uri), "
                "experiment 5 (mlflow.set_experiment)"
                ": version 3.17.2, spans by OTLP"
            )
        ]
    )


def test_application_may_set_target_before_exporter_is_created(
    mlflow, fake_server, spans, log_lines
):
    """MLflow sets the environment variables, and the log line names them."""
    mlflow.set_tracking_uri(fake_server.uri)
    mlflow.set_experiment("agents")
    destination = new_destination()
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["5"]
    assert log_lines(fake_server) == snapshot(
        [
            (
                "INFO Exporting spans to MLflow at <0> (MLFLOW_TRACKING_URI), "
                "experiment 5 (MLFLOW_EXPERIMENT_ID)"
                ": version 3.17.2, spans by OTLP"
            )
        ]
    )


def test_default_target_is_mlflows_default(monkeypatch, tmp_path, spans, log_lines):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "opentelemetry.exporter.mlflow._destinations._local_store.LocalStoreDestination.send",
        lambda *_: None,
    )
    destination = new_destination()
    destination.send([spans.make()])
    version = metadata.version("mlflow-skinny")
    assert log_lines() == [
        (
            "INFO Exporting spans to MLflow at sqlite:///mlflow.db (MLflow's default), "
            f"experiment 0 (MLflow's default): version {version}"
        )
    ]


def test_application_may_set_only_tracking_uri(
    mlflow, monkeypatch, fake_server, spans, log_lines
):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    destination = new_destination()
    mlflow.set_tracking_uri(fake_server.uri)
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["7"]
    assert "(MLFLOW_EXPERIMENT_ID)" in log_lines()[0]


def test_active_experiment_of_another_server_is_ignored(mlflow, fake_server, spans):
    with run_fake_server() as other_server:
        other_server.respond = ExperimentsApi(EXPERIMENTS)
        destination = new_destination(fake_server.uri)
        mlflow.set_tracking_uri(other_server.uri)
        mlflow.set_experiment("agents")
        destination.send([spans.make()])
        destination.close()
    assert experiment_ids(fake_server) == ["0"]


def test_partially_imported_mlflow_is_ignored(monkeypatch, fake_server, spans):
    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fake_server.uri)
    destination = new_destination()
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["0"]


def test_log_handler_may_export(fake_server, spans, caplog):
    destination = new_destination(fake_server.uri)

    class ExportingHandler(logging.Handler):
        def emit(self, record):
            destination.send([spans.make()])

    caplog.set_level(logging.INFO, LOGGER)
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler := ExportingHandler())
    try:
        destination.send([spans.make()])
    finally:
        logger.removeHandler(handler)
        destination.close()
    assert experiment_ids(fake_server) == ["0", "0"]
