"""Who we are to a workspace, and who is not told."""

from __future__ import annotations

from contextlib import suppress

import pytest

from opentelemetry.exporter.mlflow._destinations import ExportError
from tests.exporter.conftest import serving

from .exchange import Answered
from .fake import fake_databricks
from .received import INFO, OTLP, ROW, SPANS
from .sending import mapped, refused, to


def test_a_profile_is_another_workspace(databricks, monkeypatch, spans, tmp_path):
    with fake_databricks() as other:
        other.tokens = {"theirs"}
        config = tmp_path / "databrickscfg"
        config.write_text(f"[b]\nhost = {other.uri}\ntoken = theirs\n")
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(config))
        monkeypatch.delenv("DATABRICKS_HOST")
        monkeypatch.delenv("DATABRICKS_TOKEN")
        place = to("databricks://b")
        place.send(mapped([spans.made()]))
        place.close()
        assert len(other.blobs) == 1
    assert databricks.requests == []


def test_a_service_principal_signs_in(databricks, monkeypatch, spans):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "secret")
    databricks.tokens.clear()
    place = to()
    place.send(mapped([spans.made()]))
    place.send(mapped([spans.made()]))
    place.close()
    assert len(databricks.blobs) == 2
    assert len(databricks.sent("/oidc/v1/token")) == 1


def test_without_credentials_it_is_said_how_to_get_some(databricks, monkeypatch, spans):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    place = to()
    why = refused(place, mapped([spans.made()]))
    assert why.cause.startswith("databricks-sdk finds no credentials (profile ")
    assert "databricks auth login" in why.advice
    assert databricks.traces == {}
    # And it may be put right while the program runs.
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
    place.send(mapped([spans.made()]))
    assert len(databricks.traces) == 1


def test_a_sign_in_that_fails_later_is_said(databricks, monkeypatch, spans):
    databricks.linked = "main.agents.ds"
    place = to()
    place.send(mapped([spans.made()]))
    config = place._inner._workspace._config

    def authenticate():
        raise ValueError("no refresh: a secret")

    monkeypatch.setattr(config, "authenticate", authenticate)
    why = refused(place, mapped([spans.made()]))
    place.close()
    assert why.cause.startswith("databricks-sdk finds no credentials")
    assert "secret" not in why.cause + why.advice


def test_another_token_is_refused_and_not_shown(databricks, monkeypatch, spans):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-wrong")
    why = refused(to(), mapped([spans.made()]))
    assert why.cause == "the workspace refuses (PERMISSION_DENIED)"
    assert "databricks auth login" in why.advice
    assert "dapi-wrong" not in str(why.__cause__) + why.cause + why.advice


def test_nobody_elses_headers_go_there_and_no_token_elsewhere(
    databricks, monkeypatch, spans, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login them password theirs")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=theirs")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-api-key=theirs")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "anothers")
    for linked in (None, "main.agents.ds"):
        databricks.linked = linked
        place = to()
        # The stand-in refuses any credential but the workspace's own at its paths,
        # and any at all at the storage's.
        place.send(mapped([spans.made()]))
        place.close()
    assert not any("x-api-key" in sent.headers for sent in databricks.requests)
    assert len(databricks.blobs) == 1
    assert len(databricks.sent(OTLP)) == 1


@pytest.mark.parametrize("path", [ROW, SPANS, OTLP, INFO])
def test_a_redirect_gets_no_token(databricks, spans, path):
    if path in (OTLP, INFO):
        databricks.linked = "main.agents.ds"
    with serving() as elsewhere:
        databricks.fail[path] = Answered(
            307, headers={"Location": f"{elsewhere.uri}/x"}
        )
        place = to()
        if path in (SPANS, OTLP):
            assert "307" in refused(place, mapped([spans.made()])).cause
            assert elsewhere.requests == []
        else:
            # databricks-sdk follows, and leaves its token behind.
            with suppress(ExportError):
                place.send(mapped([spans.made()]))
            (request,) = elsewhere.requests
            assert "authorization" not in request.headers
        place.close()
