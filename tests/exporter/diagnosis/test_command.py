"""Each mistake has a line that says what is wrong and what to do."""

from __future__ import annotations

from importlib import import_module

import pytest
from dirty_equals import IsStr

from opentelemetry.exporter.mlflow._destinations._resolver import DestinationResolver
from opentelemetry.exporter.mlflow._diagnosis._command import main
from tests.exporter.conftest import error_response
from tests.exporter.databricks.fake_databricks import EXPERIMENT, fake_databricks
from tests.exporter.destinations.old_server import OldServer
from tests.exporter.programs import run

from .conftest import json_response, respond

NO_SPOOL = ("skipped", "there is none. Set OTEL_EXPORTER_MLFLOW_SPOOL or --spool")
NOT_CHECKED = ("skipped", "the checks before it failed")


def test_all_is_well(mlflow, run_command):
    assert run_command() == (
        0,
        {
            "settings": (
                "ok",
                (
                    f"spans go to the MLflow server {mlflow.uri} "
                    f"(MLFLOW_TRACKING_URI), "
                    "experiment 3 (MLFLOW_EXPERIMENT_ID)"
                ),
            ),
            "server": ("ok", "MLflow 3.17.2 responds (spans by OTLP)"),
            "experiment": ("ok", "experiment 3 exists, its name is 'agents'"),
            "probe": (
                "ok",
                IsStr(regex="trace tr-[0-9a-f]{32} was accepted; it may be deleted"),
            ),
            "trace": (
                "ok",
                IsStr(
                    regex="read back from experiment 3, state OK. "
                    f"See {mlflow.uri}/#/experiments/3/traces/tr-[0-9a-f]{{32}}"
                ),
            ),
            "spool": NO_SPOOL,
        },
    )
    (request,) = [request for request in mlflow.requests if request.method == "POST"]
    assert request.span_names == ["opentelemetry.exporter.mlflow probe"]
    assert request.headers["x-mlflow-experiment-id"] == "3"
    (resource_spans,) = request.message.resource_spans
    (attribute,) = resource_spans.resource.attributes
    assert attribute.key == "opentelemetry.exporter.mlflow.probe"


def test_nothing_is_written_without_the_probe(mlflow, run_command):
    status, lines = run_command("--no-probe")
    assert status == 0
    assert lines["probe"] == ("skipped", "--no-probe is set")
    assert "trace" not in lines
    assert {request.method for request in mlflow.requests} == {"GET"}


def test_mlflow_3_1_gives_the_probe_an_id_of_its_own(mlflow, run_command):
    mlflow.version = "3.1.4"
    old_server = OldServer(mlflow)

    def respond_as_old_server(request):
        is_trace = "trace" in request.path
        return old_server.respond(request) if is_trace else respond(request)

    mlflow.respond = respond_as_old_server
    status, lines = run_command()
    assert status == 0
    assert lines["trace"] == (
        "skipped",
        (
            "this version of MLflow gives it an id of its own. Look for "
            "'opentelemetry.exporter.mlflow probe' in the experiment"
        ),
    )


def test_an_invalid_setting(monkeypatch, run_command):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT", "maybe")
    assert run_command() == (
        1,
        {
            "settings": (
                "failed",
                (
                    "OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT must be true or false; "
                    "got "
                    "'maybe'"
                ),
            )
        },
    )


def test_a_missing_package():
    program = """
import sys
sys.modules["databricks.sdk"] = None  # An import of it raises ModuleNotFoundError.
from opentelemetry.exporter.mlflow._diagnosis._command import main
print(main([]))
"""
    line, *_, status = run(program, MLFLOW_TRACKING_URI="databricks").splitlines()
    assert line.startswith("failed   settings: ")
    assert line.endswith(
        "pip install 'opentelemetry-instrumentation-deepseek[databricks]'"
    )
    assert status == "1"


def test_a_server_that_is_down(monkeypatch, run_command):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:1")
    status, lines = run_command()
    assert status == 1
    assert lines == {
        "settings": (
            "ok",
            (
                "spans go to the MLflow server http://127.0.0.1:1 "
                "(MLFLOW_TRACKING_URI), "
                "experiment 0 (MLflow's default)"
            ),
        ),
        "server": (
            "failed",
            (
                "the connection failed (Connection refused). Start the server, or "
                "correct "
                "MLFLOW_TRACKING_URI"
            ),
        ),
        "experiment": ("skipped", "the check of the server failed"),
        "probe": NOT_CHECKED,
        "spool": NO_SPOOL,
    }


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (
            (200, b"<html>Welcome</html>"),
            (
                "the response does not come from MLflow (200). Set "
                "MLFLOW_TRACKING_URI to "
                "the URL where MLflow itself responds (https instead of http?), not "
                "to a "
                "login page; redirects are not followed"
            ),
        ),
        (
            (302, b"", {"Location": "https://login.example.com/"}),
            IsStr(regex=r"the response does not come from MLflow \(302\)\. .*"),
        ),
        (
            (401,),
            (
                "MLflow requires valid credentials (401). Check "
                "MLFLOW_TRACKING_USERNAME "
                "and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            ),
        ),
        (
            (400, b"Client sent an HTTP request to an HTTPS server."),
            IsStr(regex=r"the server requires TLS \(400\)\. .*"),
        ),
    ],
)
def test_a_server_that_is_not_mlflow(respond_always, run_command, response, text):
    respond_always(*response)
    status, lines = run_command()
    assert status == 1
    assert lines["server"] == ("failed", text)


def test_an_old_server(mlflow, run_command):
    mlflow.version = "2.22.0"
    status, lines = run_command()
    assert status == 1
    assert lines["server"] == (
        "failed",
        "MLflow 2.22.0 is too old. Upgrade the server to version 3.1 or newer",
    )


def test_a_wrong_path(respond_always, run_command):
    respond_always(404, b"not found")
    status, lines = run_command()
    assert status == 1
    assert lines["server"] == (
        "ok",
        "a server responds, but does not say its version (404)",
    )
    assert lines["experiment"] == (
        "failed",
        IsStr(regex=r"the server does not have this path \(404\)\. Check that .*"),
    )


def respond_with_experiment(response):
    def respond_to(request):
        return response if "/experiments/" in request.path else respond(request)

    return respond_to


def test_an_experiment_that_does_not_exist(mlflow, monkeypatch, run_command):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "4")
    status, lines = run_command()
    assert status == 1
    assert lines["experiment"] == (
        "failed",
        (
            "experiment 4 does not exist (404 RESOURCE_DOES_NOT_EXIST). Set "
            "MLFLOW_EXPERIMENT_ID to an existing experiment, or "
            "MLFLOW_EXPERIMENT_NAME, "
            "which is created if it does not exist"
        ),
    )
    assert lines["probe"] == NOT_CHECKED


def test_an_experiment_name_that_is_new(mlflow, monkeypatch, run_command):
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "agents")
    _, lines = run_command("--no-probe")
    assert lines["experiment"] == (
        "ok",
        (
            "experiment 'agents' does not exist; it is created before the first "
            "spans are "
            "sent"
        ),
    )


def test_an_experiment_that_is_deleted(mlflow, run_command):
    mlflow.respond = respond_with_experiment(
        json_response({"experiment": {"lifecycle_stage": "deleted"}})
    )
    _, lines = run_command()
    assert lines["experiment"] == (
        "failed",
        (
            "experiment 3 is deleted. Restore it (mlflow experiments restore), or set "
            "MLFLOW_EXPERIMENT_NAME to another one"
        ),
    )


def test_a_wrong_token(mlflow, monkeypatch, run_command):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a-secret")
    mlflow.respond = lambda _: error_response(403, "PERMISSION_DENIED")
    _, lines = run_command()
    assert lines["experiment"] == (
        "failed",
        IsStr(regex=r"MLflow denies permission \(403 PERMISSION_DENIED\)\. .*"),
    )
    assert "secret" not in str(lines)


def test_a_probe_that_is_rejected(mlflow, run_command):
    def reject(request):
        if request.method == "POST":
            return error_response(400, "INVALID_PARAMETER_VALUE")
        return respond(request)

    mlflow.respond = reject
    status, lines = run_command()
    assert status == 1
    assert lines["probe"] == (
        "failed",
        IsStr(regex=r"MLflow rejects some of the spans \(400 INVALID_.*\)\. See .*"),
    )
    assert lines["trace"] == ("skipped", "the probe was not accepted")


def test_a_probe_that_is_not_there(mlflow, run_command):
    def forget(request):
        if "/traces/tr-" in request.path:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")
        return respond(request)

    mlflow.respond = forget
    status, lines = run_command()
    assert status == 1
    assert lines["trace"] == (
        "failed",
        (
            "MLflow has accepted the trace, but does not return it. See MLflow's log "
            "for "
            "the reason"
        ),
    )


def test_an_unexpected_error_is_reported_without_its_message(
    mlflow, monkeypatch, run_command
):
    def fail(*_):
        raise KeyError("a secret")

    monkeypatch.setattr(DestinationResolver, "send", fail)
    status, lines = run_command()
    assert status == 1
    assert lines["probe"] == (
        "failed",
        "an unexpected KeyError. Please report it, with the versions of the packages",
    )


def test_a_collector(fake_server, monkeypatch, run_command):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_ENDPOINT", fake_server.uri)
    status, lines = run_command()
    assert status == 0
    assert lines == {
        "settings": (
            "ok",
            (
                f"spans go to the OTLP receiver at {fake_server.uri} "
                "(OTEL_EXPORTER_MLFLOW_ENDPOINT), which selects the experiment"
            ),
        ),
        "server": ("skipped", "only the probe can check this OTLP receiver"),
        "probe": ("ok", IsStr(regex="trace tr-.* was accepted; it may be deleted")),
        "trace": (
            "skipped",
            IsStr(regex="it is not read back .*. Look for tr-[0-9a-f]{32} in MLflow"),
        ),
        "spool": NO_SPOOL,
    }


def test_a_databricks_workspace(monkeypatch, run_command):
    with fake_databricks() as workspace:
        monkeypatch.setenv("DATABRICKS_HOST", workspace.uri)
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks")
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        status, lines = run_command()
        assert status == 0
        assert len(workspace.trace_infos) == 1
    assert lines["settings"] == (
        "ok",
        (
            "spans go to the Databricks workspace databricks (MLFLOW_TRACKING_URI), "
            f"experiment {EXPERIMENT!r} (MLFLOW_EXPERIMENT_NAME)"
        ),
    )
    assert lines["probe"][0] == "ok"


def test_an_import_of_the_command_does_not_run_it():
    assert import_module("opentelemetry.exporter.mlflow.__main__")


def test_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "--no-probe" in capsys.readouterr().out


def test_an_unknown_option(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--unknown"])
    assert "unrecognized arguments" in capsys.readouterr().err
