"""A real MLflow server behind all that can stand in front of one.

TLS with an authority of its own, a path prefix, users and passwords, workspaces.
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

from examples.quickstart.mlflow_server import SETTINGS, _free_port, _stop
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.missing import missing

pytestmark = pytest.mark.e2e

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
ADMIN = ("admin", "what: a @ passw%rd")
ANN = ("ann", "another long one")
PREFIX = "/of/a/team"


class Guarded(NamedTuple):
    uri: str
    certificate: str

    def ask(self, method, path, user=ADMIN, workspace="default", **kwargs):
        return requests.request(
            method,
            f"{self.uri}/api/{path}",
            auth=user,
            headers={"X-MLFLOW-WORKSPACE": workspace},
            verify=self.certificate,
            timeout=30,
            **kwargs,
        )

    def names(self, workspace="default"):
        """Of the traces in the experiment `agents`."""
        found = self.ask(
            "GET",
            "2.0/mlflow/experiments/get-by-name",
            workspace=workspace,
            params={"experiment_name": "agents"},
        ).json()["experiment"]["experiment_id"]
        where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {}}
        where["mlflow_experiment"]["experiment_id"] = found
        traces = self.ask(
            "POST",
            "3.0/mlflow/traces/search",
            workspace=workspace,
            json={"locations": [where], "max_results": 100},
        ).json()["traces"]
        return [trace["tags"]["mlflow.traceName"] for trace in traces]


@pytest.fixture(scope="module")
def guarded(certificate, tmp_path_factory):
    if find_spec("flask_wtf") is None:
        reason = "MLflow's users and passwords take the package mlflow[auth]"
        missing(reason)
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "auth.ini").write_text(
        "[mlflow]\n"
        "default_permission = NO_PERMISSIONS\n"
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
    # What the caller set for its own telemetry and MLflow is not for this one, and its
    # coverage costs half as much again.
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
            | SETTINGS
            | {
                "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN[0],
                "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
                "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        ends = time.monotonic() + 180
        while time.monotonic() < ends and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.2)
        served = Guarded(f"https://127.0.0.1:{port}{PREFIX}", certificate)
        user = {"username": ANN[0], "password": ANN[1]}
        made = served.ask("POST", "2.0/mlflow/users/create", json=user)
        assert made.ok, (folder / "log").read_text()
        assert served.ask("POST", "3.0/mlflow/workspaces", json={"name": "team"}).ok
        yield served
    finally:
        _stop(process)


@pytest.fixture
def export(guarded, monkeypatch, spans):
    """Exports one span; keywords are the variables."""

    def one(name, **variables):
        trusted = {"TRACKING_SERVER_CERT_PATH": guarded.certificate}
        with monkeypatch.context() as patch:
            for variable, value in (trusted | variables).items():
                patch.setenv(f"MLFLOW_{variable}", value)
            exporter = MlflowSpanExporter(
                tracking_uri=guarded.uri, experiment_name="agents"
            )
            result = exporter.export([spans.made(name)])
            exporter.shutdown()
        return result

    return one


def signed_in(user):
    return {"TRACKING_USERNAME": user[0], "TRACKING_PASSWORD": user[1]}


def test_a_user_who_may_write_does(export, guarded):
    assert export("by name", **signed_in(ADMIN)) is SUCCESS
    assert "by name" in guarded.names()


def test_the_address_may_hold_the_user(export, guarded, spans, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", guarded.certificate)
    user = "admin:what%3A%20a%20%40%20passw%25rd@"
    exporter = MlflowSpanExporter(
        tracking_uri=guarded.uri.replace("//", f"//{user}"), experiment_name="agents"
    )
    assert exporter.export([spans.made("in the address")]) is SUCCESS
    exporter.shutdown()
    assert "in the address" in guarded.names()


def test_a_token_that_is_refused_is_not_shown(export, guarded, caplog):
    """MLflow's own app takes no tokens: another header than `Basic` is refused."""
    assert export("by token", TRACKING_TOKEN="s3cr3t") is FAILURE
    assert "it wants other credentials" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    ("user", "cause"),
    [
        (("", ""), "it wants other credentials (401)"),
        (("admin", "wrong"), "it wants other credentials (401)"),
        (ANN, "it does not permit this (403"),
    ],
)
def test_who_may_not_write_is_told_so(export, guarded, caplog, user, cause):
    export("first", **signed_in(ADMIN))
    assert export("not mine", **signed_in(user)) is FAILURE
    assert cause in caplog.text
    assert "MLFLOW_TRACKING_PASSWORD" in caplog.text or "permission" in caplog.text
    assert base64.b64encode(":".join(user).encode()).decode() not in caplog.text
    assert "not mine" not in guarded.names()


def test_a_workspace_has_experiments_of_its_own(export, guarded):
    assert export("of the team", **signed_in(ADMIN), WORKSPACE="team") is SUCCESS
    assert "of the team" in guarded.names("team")
    export("of all", **signed_in(ADMIN))
    assert "of the team" not in guarded.names()


def test_a_workspace_that_is_not_there_is_said(export, caplog):
    assert export("lost", **signed_in(ADMIN), WORKSPACE="nobodys") is FAILURE
    assert "there is no such workspace. Check MLFLOW_WORKSPACE" in caplog.text


def test_another_authority_is_not_trusted(export, caplog, monkeypatch):
    assert export("x", **signed_in(ADMIN), TRACKING_SERVER_CERT_PATH="") is FAILURE
    assert "no safe connection" in caplog.text
