from __future__ import annotations

import logging

import pytest

from .catalogue import AGENTS_AND_OTHERS, Catalogue

LOGGER = "opentelemetry.exporter.mlflow"


@pytest.fixture
def catalogue(wire):
    """`wire` as a server that has the experiments `agents` and `others`."""
    wire.answers = Catalogue(AGENTS_AND_OTHERS)


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
