from __future__ import annotations

import logging

import pytest

from .experiments_api import EXPERIMENTS, ExperimentsApi

LOGGER = "opentelemetry.exporter.mlflow"


@pytest.fixture
def experiments_api(fake_server):
    """Make `fake_server` a server with the experiments `agents` and `others`."""
    fake_server.respond = ExperimentsApi(EXPERIMENTS)


@pytest.fixture
def mlflow(monkeypatch):
    """The `mlflow` module of an application that has not set anything in it."""
    import mlflow
    import mlflow.tracking.fluent

    # set_tracking_uri and set_experiment set these, and monkeypatch restores them.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    monkeypatch.setattr(mlflow.tracking.fluent, "_active_experiment_id", None)
    mlflow.set_tracking_uri(None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    yield mlflow
    mlflow.set_tracking_uri(None)


@pytest.fixture
def log_lines(caplog):
    """The log lines of the exporter, with <0>, <1>, … for the addresses of servers."""
    caplog.set_level(logging.INFO, LOGGER)

    def take(*servers):
        texts = [
            f"{record.levelname} {record.getMessage()}"
            for record in caplog.records
            if record.name == LOGGER
        ]
        for number, server in enumerate(servers):
            texts = [text.replace(server.uri, f"<{number}>") for text in texts]
        return texts

    return take
