"""Mistakes in the variables: one line says what is wrong and what to do."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from .conftest import IN_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
HOSTS = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"


class WebPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<html>Welcome</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  # what http.server calls

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_without_a_mistake_nothing_is_on_the_screen(run, traces, experiment):
    for screen in (run(), run(IN_CODE, automatic=False)):
        assert screen.is_as_without_telemetry
        assert screen.lines == []
    # Nor is a trace lost, although the programs end at once.
    previews = [trace.info.request_preview for trace in traces(experiment)]
    assert previews == ["Why is the sky blue?"] * 2


def assert_not_exported(screen, cause: str, advice: str) -> None:
    assert screen.is_as_without_telemetry
    error, summary = screen.lines
    assert error.startswith("Cannot export spans to MLflow at ")
    assert cause in error
    assert advice in error
    assert summary.startswith("Spans not exported to MLflow at ")
    assert f": 1 ({cause}" in summary


def test_mlflow_is_not_running(run, check):
    uri = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    assert_not_exported(
        run(**uri), "the connection failed (Connection refused)", "Start the server"
    )
    assert check(**uri)["server"].startswith("failed the connection failed")


def test_something_else_listens_at_the_port(run, check):
    with web_site() as uri:
        assert_not_exported(
            run(MLFLOW_TRACKING_URI=uri),
            "the response does not come from MLflow (200)",
            "Set MLFLOW_TRACKING_URI to the URL where MLflow itself responds",
        )
        line = check(MLFLOW_TRACKING_URI=uri)["server"]
        assert line.startswith("failed the response does not come from MLflow")


def test_the_experiment_does_not_exist(run, check):
    number = {"MLFLOW_EXPERIMENT_ID": "4711", "MLFLOW_EXPERIMENT_NAME": None}
    assert_not_exported(
        run(**number),
        "experiment 4711 does not exist",
        "or MLFLOW_EXPERIMENT_NAME, which is created if it does not exist",
    )
    assert check(**number)["experiment"].startswith(
        "failed experiment 4711 does not exist"
    )


def test_content_switch_is_true(run, check):
    screen = run(**{CAPTURE: "true"})
    assert screen.is_as_without_telemetry
    # From opentelemetry-util-genai.
    assert screen.line.startswith(f"true is not a valid option for `{CAPTURE}`")
    assert "SPAN_ONLY" in screen.line
    assert check(**{CAPTURE: "true"})["content"].startswith("failed ")


def test_content_is_off(run, check, traces, experiment):
    for screen in (
        run(**{CAPTURE: None}),
        run(IN_CODE, automatic=False, **{CAPTURE: None}),
    ):
        assert screen.is_as_without_telemetry
        assert screen.line.startswith("A model call has no message content, so MLflow")
        assert f"set {CAPTURE} to SPAN_ONLY" in screen.line
    assert run(**{CAPTURE: "NO_CONTENT"}).lines == []
    assert len(traces(experiment)) == 3
    assert (
        "SPAN_ONLY or SPAN_AND_EVENT records them"
        in check(**{CAPTURE: None})["content"]
    )


def test_exporter_is_misspelt(run, check):
    screen = run(OTEL_TRACES_EXPORTER="mlfow")
    assert screen.is_as_without_telemetry
    assert screen.lines[0] == (
        "OpenTelemetry will not start, and nothing will be recorded: "
        "OTEL_TRACES_EXPORTER has 'mlfow', which is not installed. Did you mean mlflow?"
    )
    # The rest is a traceback of OpenTelemetry, which is no longer ours to change.
    assert screen.lines[1] == "Configuration of configurator failed"
    assert screen.lines[-1].endswith(
        "'mlfow' not found in entry point 'opentelemetry_traces_exporter'"
    )
    assert "Did you mean mlflow?" in check(OTEL_TRACES_EXPORTER="mlfow")["exporters"]


def test_exporter_is_not_set(run, check, receiver):
    screen = run(
        OTEL_TRACES_EXPORTER=None,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
    )
    assert screen.is_as_without_telemetry
    assert screen.line == (
        "MLFLOW_TRACKING_URI is set, but no spans are exported to MLflow, because "
        "OTEL_TRACES_EXPORTER is not set. Set it to mlflow, to otlp,mlflow, or to otlp "
        "if that is right."
    )
    assert len(receiver.spans) == 1
    line = check(OTEL_TRACES_EXPORTER=None)["exporters"]
    assert line.startswith("skipped OTEL_TRACES_EXPORTER is not set.")


def test_gateway_is_not_configured(run, check, simulator):
    host = simulator.base_url.removeprefix("http://")
    for screen in (
        run(**{HOSTS: None}),
        run(IN_CODE, automatic=False, **{HOSTS: None}),
    ):
        assert screen.is_as_without_telemetry
        assert screen.line == (
            f"Calls of DeepSeek's models at {host} are not recorded. To record them, "
            f"add this host to {HOSTS}."
        )
    assert check(**{HOSTS: None})["hosts"] == (
        f"ok calls to *.deepseek.com are recorded ({HOSTS})"
    )


def test_spool_cannot_be_written(run, tmp_path):
    (tmp_path / "file").touch()
    screen = run(OTEL_EXPORTER_MLFLOW_SPOOL=str(tmp_path / "file"))
    assert screen.is_as_without_telemetry
    assert screen.line.startswith("Nothing is exported to MLflow: ")
    assert "OTEL_EXPORTER_MLFLOW_SPOOL must be a folder on a local disk" in screen.line


def test_spool_is_on_a_disk_that_cannot_be_written(run, traces, experiment):
    screen = run(OTEL_EXPORTER_MLFLOW_SPOOL="/proc/spool")
    assert screen.is_as_without_telemetry
    assert screen.line.startswith("Cannot use the spool in /proc/spool: ")
    assert "or set OTEL_EXPORTER_MLFLOW_SPOOL to another folder" in screen.line
    assert len(traces(experiment)) == 1
