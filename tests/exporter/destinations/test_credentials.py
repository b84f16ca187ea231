"""Credentials: where they come from, and who receives them."""

from __future__ import annotations

import base64
import traceback

import pytest

from opentelemetry.exporter.mlflow._destinations._server import MlflowServerDestination
from tests.exporter.conftest import Response, run_fake_server

from .destination import export_error, new_destination


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
def test_credentials_are_read_as_by_mlflow(
    monkeypatch, fake_server, spans, environment, user, authorization
):
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team")
    destination = new_destination(fake_server.uri.replace("//", f"//{user}"))
    destination.send([spans.make()])
    (request,) = fake_server.requests
    sent = request.headers.get("authorization")
    if sent and sent.startswith("Basic "):
        sent = "Basic " + base64.b64decode(sent.removeprefix("Basic ")).decode()
    assert sent == authorization
    assert request.headers["x-mlflow-workspace"] == "team"
    assert destination.address == fake_server.uri
    destination.close()


def test_credentials_file_is_read(monkeypatch, fake_server, spans, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".mlflow"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p%w\n"
    )
    destination = new_destination(fake_server.uri)
    destination.send([spans.make()])
    (request,) = fake_server.requests
    assert request.headers["authorization"] == (
        "Basic " + base64.b64encode(b"ann:p%w").decode()
    )
    destination.close()


def test_malformed_credentials_file_is_not_quoted(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".mlflow"
    folder.mkdir()
    (folder / "credentials").write_text("mlflow_tracking_password = secret\n")
    with pytest.raises(ValueError, match=r"^~/.mlflow/credentials must have") as raised:
        new_destination("http://localhost")
    assert "secret" not in "".join(traceback.format_exception(raised.value))


def test_missing_home_directory_is_accepted(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert isinstance(
        new_destination("http://localhost")._destination, MlflowServerDestination
    )


def test_redirects_are_not_followed(monkeypatch, fake_server, spans):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok")
    with run_fake_server() as redirect_target:
        for arguments in ({"experiment_id": 1}, {"experiment_name": "agents"}):
            fake_server.respond = lambda request: Response(
                307, headers={"Location": redirect_target.uri + request.path}
            )
            destination = new_destination(fake_server.uri, **arguments)
            assert "(307)" in export_error(destination, [spans.make()]).cause
            destination.close()
        assert redirect_target.requests == []
