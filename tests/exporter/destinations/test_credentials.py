"""Whose credentials a server is shown, and who is shown none."""

from __future__ import annotations

import base64
import traceback

import pytest

from opentelemetry.exporter.mlflow._destinations._server import Server
from tests.exporter.conftest import Answer, serving

from .sending import refused, to


@pytest.mark.parametrize(
    ("environment", "user", "authorization"),
    [
        ({}, "", None),
        ({"TOKEN": "tok"}, "", "Bearer tok"),
        ({"USERNAME": "ann", "PASSWORD": "pw", "TOKEN": "tok"}, "", "Basic ann:pw"),
        ({"USERNAME": "ann", "TOKEN": "tok"}, "", "Bearer tok"),
        ({"USERNAME": "ann", "PASSWORD": "pw"}, "bob:p%40w@", "Basic bob:p@w"),
    ],
)
def test_credentials_are_mlflows(
    monkeypatch, wire, spans, environment, user, authorization
):
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team")
    server = to(wire.uri.replace("//", f"//{user}"))
    server.send([spans.made()])
    (request,) = wire.requests
    sent = request.headers.get("authorization")
    if sent and sent.startswith("Basic "):
        sent = "Basic " + base64.b64decode(sent.removeprefix("Basic ")).decode()
    assert sent == authorization
    assert request.headers["x-mlflow-workspace"] == "team"
    assert server.address == wire.uri
    server.close()


def test_the_credentials_file_of_mlflow_is_read(monkeypatch, wire, spans, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".mlflow"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p%w\n"
    )
    server = to(wire.uri)
    server.send([spans.made()])
    (request,) = wire.requests
    assert request.headers["authorization"] == (
        "Basic " + base64.b64encode(b"ann:p%w").decode()
    )
    server.close()


def test_a_credentials_file_in_disorder_is_not_quoted(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".mlflow"
    folder.mkdir()
    (folder / "credentials").write_text("mlflow_tracking_password = secret\n")
    with pytest.raises(ValueError, match=r"^~/.mlflow/credentials takes") as caught:
        to("http://localhost")
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_user_without_a_home_has_no_credentials_file(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert isinstance(to("http://localhost")._inner, Server)


def test_a_redirect_gets_neither_spans_nor_token(monkeypatch, wire, spans):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok")
    with serving() as elsewhere:
        for name in ({"experiment_id": 1}, {"experiment_name": "agents"}):
            wire.answers = lambda request: Answer(
                307, headers={"Location": elsewhere.uri + request.path}
            )
            server = to(wire.uri, **name)
            assert "(307)" in refused(server.send, [spans.made()]).cause
            server.close()
        assert elsewhere.requests == []
