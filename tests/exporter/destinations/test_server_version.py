"""The version of an MLflow server decides how traces are sent to it."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._destinations import _server_version
from tests.exporter.conftest import Response

from .destination import export_error, new_destination
from .old_server import V2, OldServer

OTLP = "spans by OTLP"
TRACE_INFO = "spans by OTLP, TraceInfo by REST"
ARTIFACT = "TraceInfo by REST, spans as an artifact"
V1, V3 = "POST /v1/traces", "POST /api/3.0/mlflow/traces"
READ = "GET /api/3.0/mlflow/traces/*"
FILE = "/api/2.0/mlflow-artifacts/artifacts/7/traces/tr-1/artifacts/traces.json"


@pytest.mark.parametrize(
    ("version", "method"),
    [
        ("3.1.0", ARTIFACT),
        ("3.5.1", ARTIFACT),
        ("3.6.0rc0", TRACE_INFO),
        ("3.14.0.dev0", TRACE_INFO),
        ("3.15.0", OTLP),
        ("3.100.1", OTLP),
        ("4.0", OTLP),
        ("", TRACE_INFO),
        ("<p>1.2", TRACE_INFO),
        ("x" * 1000, TRACE_INFO),
    ],
)
def test_first_export_logs_version_and_method(
    fake_server, spans, log_lines, version, method
):
    fake_server.version = version
    OldServer(fake_server)
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make()])
    destination.send([spans.make()])
    assert destination.wants_whole_traces is (method != OTLP)
    destination.close()
    known = f"version {version}" if version[:1].isdigit() else "unknown version"
    (line,) = log_lines(fake_server)
    assert line.endswith(
        f"experiment 7 (the argument experiment_id): {known}, {method}"
    )


@pytest.mark.parametrize(
    ("version", "is_logged"),
    [("2.22.5", True), ("3.0.1", True), ("3.1.0", False), ("", False)],
)
def test_old_server_that_accepts_traces_is_logged_once(
    fake_server, spans, caplog, version, is_logged
):
    fake_server.version = version
    OldServer(fake_server)
    destination = new_destination(fake_server.uri, experiment_id=7)
    for _ in range(2):
        destination.send([spans.make()])
    destination.close()
    messages = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert messages == is_logged * [
        (
            f"MLflow at {fake_server.uri}: version {version} is too old, and may not "
            "show the traces that it accepts. Upgrade the server to version 3.1 or "
            "newer."
        )
    ]


def test_new_server_receives_spans_only(fake_server, spans):
    server = OldServer(fake_server)
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make()])
    destination.close()
    assert server.log == [V1]


@pytest.mark.parametrize("version", ["3.6.0", "3.14.0", "", "<html>"])
def test_server_that_computes_less_receives_trace_info(fake_server, spans, version):
    fake_server.version = version
    server = OldServer(fake_server, spans_location="TRACKING_STORE")
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make()])
    destination.close()
    assert server.log == [V1, V3]


def test_server_before_3_6_receives_a_file(fake_server, spans):
    fake_server.version = "3.2.0"
    server = OldServer(fake_server, "/v1/traces")
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make("one")])
    destination.close()
    assert server.log == [READ, V3, f"PUT {FILE}"]
    (span,) = json.loads(server.requests[-1].body)["spans"]
    assert span["name"] == "one"


def test_server_of_3_1_chooses_the_trace_id(fake_server, spans):
    fake_server.version = "3.1.4"
    server = OldServer(fake_server, "/v1/traces", "/api/3.0/mlflow/traces")
    destination = new_destination(fake_server.uri, experiment_id=7)
    span = spans.make("one")
    destination.send([span])
    destination.close()
    assert server.log == [READ, V3, f"POST {V2}", f"PATCH {V2}/1", f"PUT {FILE}"]
    tags = {
        tag["key"]: tag["value"] for tag in json.loads(server.requests[2].body)["tags"]
    }
    assert tags["opentelemetry.trace_id"] == f"tr-{span.context.trace_id:032x}"
    (stored,) = json.loads(server.requests[-1].body)["spans"]
    assert stored["attributes"]["mlflow.traceRequestId"] == '"1"'


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("version", ["", "3.17.2"])
def test_store_without_spans_receives_files(
    fake_server, spans, log_lines, status, version
):
    fake_server.version = version
    server = OldServer(fake_server)
    respond = server.respond
    fake_server.respond = lambda request: (
        Response(status, b"{}") if request.path == "/v1/traces" else respond(request)
    )
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make()])
    destination.send([spans.make()])
    destination.close()
    # OTLP is tried once.
    assert server.log == [V1, READ, V3, f"PUT {FILE}", READ, V3, f"PUT {FILE}"]
    known = f"version {version}" if version else "unknown version"
    assert log_lines(fake_server)[1:] == [f"INFO MLflow at <0>: {known}, {ARTIFACT}"]


@pytest.fixture
def clock(monkeypatch):
    """A function that moves the clock of the version by some seconds."""
    now = [1_000.0]
    monkeypatch.setattr(_server_version, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


def test_upgraded_server_receives_spans_again(fake_server, spans, clock):
    fake_server.version = "3.4.0"
    server = OldServer(fake_server, spans_location="TRACKING_STORE")
    destination = new_destination(fake_server.uri, experiment_id=7)
    # The server was upgraded since: it does not want a file.
    destination.send([spans.make()])
    fake_server.version = "3.17.2"
    clock(61)
    destination.send([spans.make()])
    destination.close()
    assert server.log == [READ, V3, V1, V3, V1, V3]


def test_slower_way_is_taken_if_one_of_two_servers_requires_it(
    fake_server, spans, clock, log_lines
):
    server = OldServer(fake_server, spans_location="TRACKING_STORE")
    destination = new_destination(fake_server.uri, experiment_id=7)
    for version in ("3.17.2", "3.10.1", "3.17.2", "3.10.1"):
        fake_server.version = version
        destination.send([spans.make()])
        clock(61)
    destination.close()
    assert server.log == [V1, V1, V3, V1, V3, V1, V3]
    assert log_lines(fake_server)[1:] == [
        f"INFO MLflow at <0>: version 3.10.1, {TRACE_INFO}"
    ]


def test_version_is_asked_again_after_the_server_was_away(fake_server, spans, clock):
    uri, fake_server_uri = "http://127.0.0.1:9", fake_server.uri
    destination = new_destination(uri, experiment_id=7)
    assert destination.wants_whole_traces
    export_error(destination, [spans.make()])
    destination.close()
    destination = new_destination(fake_server_uri, experiment_id=7)
    assert not destination.wants_whole_traces
    destination.close()


@pytest.mark.parametrize(
    "response",
    [
        Response(404, b"<p>", {"Content-Type": "text/html"}),
        Response(405, b"", {}),
        Response(200, b"<p>", {"Content-Type": "text/html"}),
    ],
    ids=["404", "405", "200"],
)
@pytest.mark.parametrize("experiment_name", [None, "agents"])
def test_server_without_the_path_is_reported_with_its_version(
    fake_server, spans, response, experiment_name
):
    fake_server.version = "2.9.1"
    fake_server.respond = lambda _: response
    destination = new_destination(fake_server.uri, experiment_name=experiment_name)
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.cause == f"MLflow 2.9.1 is too old ({response.status})"
    assert error.advice == "Upgrade the server to version 3.1 or newer"
