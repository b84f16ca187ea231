"""Credentials for a workspace, and who receives them."""

from __future__ import annotations

from contextlib import suppress

import pytest

from opentelemetry.exporter.mlflow._destinations import ExportError
from tests.exporter.conftest import Response, run_fake_server

from .destination import export_error, new_destination, translate
from .fake_databricks import fake_databricks
from .workspace_contents import OTLP, STORAGE, TRACE_INFO_V3, TRACE_INFO_V4


def test_profile_selects_workspace(databricks, monkeypatch, spans, tmp_path):
    with fake_databricks() as other_workspace:
        other_workspace.tokens = {"profile-token"}
        config = tmp_path / "databrickscfg"
        config.write_text(f"[b]\nhost = {other_workspace.uri}\ntoken = profile-token\n")
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(config))
        monkeypatch.delenv("DATABRICKS_HOST")
        monkeypatch.delenv("DATABRICKS_TOKEN")
        destination = new_destination("databricks://b")
        destination.send(translate([spans.make()]))
        destination.close()
        assert len(other_workspace.storage.files) == 1
    assert databricks.requests == []


def test_service_principal_signs_in_once(databricks, monkeypatch, spans):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "secret")
    databricks.tokens.clear()
    destination = new_destination()
    destination.send(translate([spans.make()]))
    destination.send(translate([spans.make()]))
    destination.close()
    assert len(databricks.storage.files) == 2
    assert len(databricks.requests_to("/oidc/v1/token")) == 1


def test_missing_credentials_are_reported_and_can_be_added_later(
    databricks, monkeypatch, spans
):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    destination = new_destination()
    error = export_error(destination, translate([spans.make()]))
    assert error.cause.startswith("databricks-sdk found no credentials (profile: ")
    assert "databricks auth login" in error.advice
    assert databricks.trace_infos == {}
    # They may be set while the program runs.
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
    destination.send(translate([spans.make()]))
    assert len(databricks.trace_infos) == 1


def test_failed_token_refresh_is_reported(databricks, monkeypatch, spans):
    databricks.table_prefix = "main.agents.ds"
    destination = new_destination()
    destination.send(translate([spans.make()]))
    config = destination._destination._workspace._config

    def authenticate():
        raise ValueError("no refresh: a secret")

    monkeypatch.setattr(config, "authenticate", authenticate)
    error = export_error(destination, translate([spans.make()]))
    destination.close()
    assert error.cause.startswith("databricks-sdk found no credentials")
    assert "secret" not in error.cause + error.advice


def test_rejected_token_is_not_shown(databricks, monkeypatch, spans):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-wrong")
    error = export_error(new_destination(), translate([spans.make()]))
    assert error.cause == "the workspace rejects the request (PERMISSION_DENIED)"
    assert "databricks auth login" in error.advice
    assert "dapi-wrong" not in str(error.__cause__) + error.cause + error.advice


def test_no_other_headers_and_credentials_are_sent(
    databricks, monkeypatch, spans, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password other")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=other")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-api-key=other")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mlflow-token")
    for table_prefix in (None, "main.agents.ds"):
        databricks.table_prefix = table_prefix
        destination = new_destination()
        # The fake workspace rejects all credentials except its own, and the fake
        # storage rejects all credentials.
        destination.send(translate([spans.make()]))
        destination.close()
    assert not any("x-api-key" in request.headers for request in databricks.requests)
    assert len(databricks.storage.files) == 1
    assert len(databricks.requests_to(OTLP)) == 1


@pytest.mark.parametrize("path", [TRACE_INFO_V3, STORAGE, OTLP, TRACE_INFO_V4])
def test_redirect_target_gets_no_token(databricks, spans, path):
    if path in (OTLP, TRACE_INFO_V4):
        databricks.table_prefix = "main.agents.ds"
    with run_fake_server() as redirect_target:
        databricks.overrides[path] = Response(
            307, headers={"Location": f"{redirect_target.uri}/x"}
        )
        destination = new_destination()
        if path in (STORAGE, OTLP):
            assert "307" in export_error(destination, translate([spans.make()])).cause
            assert redirect_target.requests == []
        else:
            # databricks-sdk follows the redirect, without the token.
            with suppress(ExportError):
                destination.send(translate([spans.make()]))
            (request,) = redirect_target.requests
            assert "authorization" not in request.headers
        destination.close()
