from __future__ import annotations

import pytest

from examples.quickstart.mlflow_server import MlflowServer, MlflowServerError

pytestmark = pytest.mark.e2e


def test_a_server_that_cannot_start_tells_what_its_log_said(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    told = []
    server = MlflowServer(tmp_path, report=told.append)
    with pytest.raises(MlflowServerError, match="file is not a database"), server:
        pytest.fail("it started")
    assert told[0].startswith("starting MLflow … ")


def test_a_server_that_takes_too_long_is_stopped(tmp_path):
    server = MlflowServer(tmp_path, start_timeout=1)
    with pytest.raises(MlflowServerError, match="did not answer within 1 s"), server:
        pytest.fail("it started")
