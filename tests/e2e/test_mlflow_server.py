"""Tests the errors of the MLflow server that the quickstart starts."""

from __future__ import annotations

import pytest

from examples.quickstart.mlflow_server import MlflowServer, MlflowServerError

pytestmark = pytest.mark.e2e


def test_server_that_cannot_start_raises_with_the_end_of_its_log(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    reports = []
    server = MlflowServer(tmp_path, report=reports.append)
    with pytest.raises(MlflowServerError, match="file is not a database"), server:
        pytest.fail("the server started")
    # A report every three seconds, if the server takes as long to fail.
    assert all(line.startswith("starting MLflow … ") for line in reports)


def test_server_that_starts_too_slowly_is_stopped(tmp_path):
    server = MlflowServer(tmp_path, start_timeout=1)
    with pytest.raises(MlflowServerError, match="did not answer within 1 s"), server:
        pytest.fail("the server started")
