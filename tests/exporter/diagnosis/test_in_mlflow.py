"""The command and a real MLflow."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import mlflow
import pytest

pytestmark = pytest.mark.e2e


def run_program(*arguments, **environment):
    process = subprocess.run(
        [sys.executable, "-m", "opentelemetry.exporter.mlflow", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in process.stderr
    return process.returncode, [
        line.partition(":")[0].split() for line in process.stdout.splitlines()
    ]


@pytest.fixture
def client(mlflow_server):
    return mlflow.MlflowClient(mlflow_server)


def test_a_server(mlflow_server, client, tmp_path):
    assert run_program(
        "--spool",
        str(tmp_path / "spool"),
        MLFLOW_TRACKING_URI=mlflow_server,
        MLFLOW_EXPERIMENT_NAME="diagnosis",
        OTEL_TRACES_EXPORTER="none",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="",
    ) == (
        0,
        [
            ["ok", "settings"],
            ["ok", "server"],
            ["ok", "experiment"],
            ["ok", "probe"],
            ["ok", "trace"],
            ["ok", "spool"],
            ["skipped", "exporters"],
            ["skipped", "content"],
            ["ok", "hosts"],
        ],
    )
    experiment = client.get_experiment_by_name("diagnosis")
    (trace,) = client.search_traces(locations=[experiment.experiment_id])
    assert trace.info.tags["opentelemetry.exporter.mlflow.probe"] == "true"
    assert trace.info.tags["mlflow.traceName"] == "opentelemetry.exporter.mlflow probe"
    assert trace.info.state == "OK"


def test_an_experiment_that_does_not_exist(mlflow_server):
    status, lines = run_program(
        MLFLOW_TRACKING_URI=mlflow_server, MLFLOW_EXPERIMENT_ID="123456"
    )
    assert status == 1
    assert lines[2:4] == [["failed", "experiment"], ["skipped", "probe"]]


def test_a_wrong_path_of_a_server(mlflow_server):
    status, lines = run_program(MLFLOW_TRACKING_URI=f"{mlflow_server}/of/a/team")
    assert status == 1
    assert lines[1:3] == [["ok", "server"], ["failed", "experiment"]]


def test_a_local_store(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    status, lines = run_program(MLFLOW_TRACKING_URI=uri)
    assert (status, lines[2:4]) == (0, [["ok", "probe"], ["ok", "trace"]])
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        names = connection.execute("select name from spans").fetchall()
    assert names == [("opentelemetry.exporter.mlflow probe",)]


def test_a_local_store_that_cannot_be_opened(tmp_path):
    uri = f"sqlite:///{tmp_path}/missing/folder/mlflow.db"
    (tmp_path / "missing").touch()
    status, lines = run_program(MLFLOW_TRACKING_URI=uri)
    assert (status, lines[2]) == (1, ["failed", "probe"])
