"""A real MLflow server with TLS, a path prefix, users, passwords and workspaces.

Its certificate is signed by an authority that is not trusted by default.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import NamedTuple

import pytest
import requests
from opentelemetry.sdk.trace.export import SpanExportResult

from examples.quickstart.mlflow_server import SERVER_ENVIRONMENT, _free_port, _stop
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.skipping import skip_unless_ci

pytestmark = pytest.mark.e2e

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
ADMIN = ("admin", "what: a @ passw%rd")
ANN = ("ann", "another long one")
PREFIX = "/of/a/team"


class SecureServer(NamedTuple):
    uri: str
    certificate: str

    def request(self, method, path, user=ADMIN, workspace="default", **kwargs):
        return requests.request(
            method,
            f"{self.uri}/api/{path}",
            auth=user,
            headers={"X-MLFLOW-WORKSPACE": workspace},
            verify=self.certificate,
            timeout=30,
            **kwargs,
        )

    def trace_names(self, workspace="default"):
        """The names of the traces in the experiment `agents`."""
        experiment_id = self.request(
            "GET",
            "2.0/mlflow/experiments/get-by-name",
            workspace=workspace,
            params={"experiment_name": "agents"},
        ).json()["experiment"]["experiment_id"]
        location = {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": experiment_id},
        }
        traces = self.request(
            "POST",
            "3.0/mlflow/traces/search",
            workspace=workspace,
            json={"locations": [location], "max_results": 100},
        ).json()["traces"]
        return [trace["tags"]["mlflow.traceName"] for trace in traces]


@pytest.fixture(scope="module")
def secure_server(certificate, tmp_path_factory):
    if find_spec("flask_wtf") is None:
        reason = "MLflow's users and passwords require the package mlflow[auth]"
        skip_unless_ci(reason)
    folder = tmp_path_factory.mktemp("secure_server")
    (folder / "auth.ini").write_text(
        "[mlflow]\n"
        "default_permission = NO_PERMISSIONS\n"
        # MLflow 3.16 reads the file even if the variables are set.
        f"admin_username = {ADMIN[0]}\n"
        f"admin_password = {ADMIN[1].replace('%', '%%')}\n"
        f"database_uri = sqlite:///{folder}/auth.db\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    command += ["--static-prefix", PREFIX, "--app-name", "basic-auth"]
    command += ["--enable-workspaces"]
    tls = f"--ssl-keyfile {certificate} --ssl-certfile {certificate}"
    command += ["--uvicorn-opts", tls]
    # The server must not use the settings of this process for telemetry and MLflow.
    # Coverage would make it slower by half.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "MLFLOW_", "OTEL_"))
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=inherited
            | SERVER_ENVIRONMENT
            | {
                "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
                "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
                "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "secret of this test",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.2)
        server = SecureServer(f"https://127.0.0.1:{port}{PREFIX}", certificate)
        user = {"username": ANN[0], "password": ANN[1]}
        response = server.request("POST", "2.0/mlflow/users/create", json=user)
        assert response.ok, (folder / "log").read_text()
        assert server.request("POST", "3.0/mlflow/workspaces", json={"name": "team"}).ok
        yield server
    finally:
        _stop(process)


@pytest.fixture
def export(secure_server, monkeypatch, spans):
    """A function that exports one span. Keywords are MLFLOW_* variables."""

    def export_span(name, **variables):
        defaults = {"TRACKING_SERVER_CERT_PATH": secure_server.certificate}
        with monkeypatch.context() as patch:
            for variable, value in (defaults | variables).items():
                patch.setenv(f"MLFLOW_{variable}", value)
            exporter = MlflowSpanExporter(
                tracking_uri=secure_server.uri, experiment_name="agents"
            )
            result = exporter.export([spans.make(name)])
            exporter.shutdown()
        return result

    return export_span


def credentials(user):
    return {"TRACKING_USERNAME": user[0], "TRACKING_PASSWORD": user[1]}


def test_authorized_user_can_export(export, secure_server):
    assert export("by user", **credentials(ADMIN)) is SUCCESS
    assert "by user" in secure_server.trace_names()


def test_tracking_uri_may_contain_credentials(
    export, secure_server, spans, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", secure_server.certificate)
    user = "admin:what%3A%20a%20%40%20passw%25rd@"
    exporter = MlflowSpanExporter(
        tracking_uri=secure_server.uri.replace("//", f"//{user}"),
        experiment_name="agents",
    )
    assert exporter.export([spans.make("by uri")]) is SUCCESS
    exporter.shutdown()
    assert "by uri" in secure_server.trace_names()


def test_rejected_token_is_not_logged(export, secure_server, caplog):
    """MLflow's server accepts only basic authentication, and rejects tokens."""
    assert export("by token", TRACKING_TOKEN="s3cr3t") is FAILURE
    assert "MLflow requires valid credentials" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    ("user", "cause"),
    [
        (("", ""), "MLflow requires valid credentials (401)"),
        (("admin", "wrong"), "MLflow requires valid credentials (401)"),
        (ANN, "MLflow denies permission (403"),
    ],
)
def test_unauthorized_user_is_reported(export, secure_server, caplog, user, cause):
    export("first", **credentials(ADMIN))
    assert export("unauthorized", **credentials(user)) is FAILURE
    assert cause in caplog.text
    assert "MLFLOW_TRACKING_PASSWORD" in caplog.text or "permission" in caplog.text
    assert base64.b64encode(":".join(user).encode()).decode() not in caplog.text
    assert "unauthorized" not in secure_server.trace_names()


def test_workspaces_have_separate_experiments(export, secure_server):
    assert export("team trace", **credentials(ADMIN), WORKSPACE="team") is SUCCESS
    assert "team trace" in secure_server.trace_names("team")
    export("default trace", **credentials(ADMIN))
    assert "team trace" not in secure_server.trace_names()


def test_missing_workspace_is_reported(export, caplog):
    assert export("x", **credentials(ADMIN), WORKSPACE="missing") is FAILURE
    assert "the workspace does not exist. Check MLFLOW_WORKSPACE" in caplog.text


def test_untrusted_certificate_is_reported(export, caplog, monkeypatch):
    assert export("x", **credentials(ADMIN), TRACKING_SERVER_CERT_PATH="") is FAILURE
    assert "the TLS connection failed" in caplog.text
