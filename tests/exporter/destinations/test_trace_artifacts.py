"""Traces of servers before 3.6: TraceInfo by REST, and the spans in a file."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._trace_settings import (
    EXPERIMENT_ID,
    METADATA_PREFIX,
)
from tests.exporter.conftest import Response, error_response

from .destination import export_error, new_destination

TRACES = "/api/3.0/mlflow/traces"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"


class FileServer:
    """An old server. It stores the files in memory, or leaves them to the client."""

    def __init__(self, fake_server, location="mlflow-artifacts:/7/a b"):
        fake_server.version = "3.4.0"
        fake_server.respond = self.respond
        self.location = location
        self.trace_infos = []
        self.files = {}
        self.error = None

    def respond(self, request):
        if self.error and request.method in self.error:
            return self.error[request.method]
        if request.path == TRACES:
            trace_info = json.loads(request.body)["trace"]["trace_info"]
            self.trace_infos.append(trace_info)
            return self.stored_trace_info()
        if request.path.startswith(TRACES) and self.trace_infos:
            return self.stored_trace_info()
        if request.method == "GET":
            content = self.files.get(request.path)
            return Response(404) if content is None else Response(body=content)
        self.files[request.path] = request.body
        return Response()

    def stored_trace_info(self):
        trace_info = self.trace_infos[-1]
        location = {"mlflow.artifactLocation": self.location}
        tags = {**dict(trace_info["tags"]), **location}
        trace = {"trace_info": trace_info | {"tags": tags}}
        return Response(body=json.dumps({"trace": trace}).encode())

    @property
    def spans(self):
        (content,) = self.files.values()
        return json.loads(content)["spans"]

    @property
    def span_names(self):
        return [span["name"] for span in self.spans]


@pytest.fixture
def trace(spans):
    """A child and the root of one trace."""
    with (
        spans.tracer.start_as_current_span("root"),
        spans.tracer.start_as_current_span("child"),
    ):
        pass
    return spans.take()


def test_late_spans_are_added_to_the_file(fake_server, trace):
    server = FileServer(fake_server)
    child, root = trace
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([root])
    destination.send([child])
    destination.close()
    assert server.span_names == ["root", "child"]
    assert list(server.files) == [f"{PROXY}/7/a%20b/traces.json"]
    assert len(server.trace_infos) == 1


def test_parent_of_a_root_is_an_empty_text(fake_server, trace):
    """The page of MLflow 3.2 does not show a trace whose root has null."""
    server = FileServer(fake_server)
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send(trace)
    destination.close()
    root, child = server.spans
    assert (root["parent_span_id"], child["parent_span_id"]) == ("", root["span_id"])


def test_trace_without_its_root_is_in_progress(fake_server, trace):
    server = FileServer(fake_server)
    child, _ = trace
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([child])
    destination.close()
    assert [info["state"] for info in server.trace_infos] == ["IN_PROGRESS"]


@pytest.fixture
def send(fake_server):
    """A function that sends spans as a new process does."""

    def send(*spans):
        destination = new_destination(fake_server.uri, experiment_id=7)
        destination.send(spans)
        destination.close()

    return send


def with_totals(span, tokens, cost):
    attributes = {
        "mlflow.chat.tokenUsage": json.dumps({"total_tokens": tokens}),
        "mlflow.llm.cost": json.dumps({"total_cost": cost}),
        "mlflow.spanInputs": json.dumps({"q": f"the question of {span.name}"}),
    }
    return replace_span(span, attributes={**span.attributes, **attributes})


@pytest.fixture
def parts(spans):
    """What a called service sends of a trace, and what its caller sends."""
    start = spans.tracer.start_as_current_span
    with start("root"):
        with start("call of the called"):
            pass
        with start("call of the caller"):
            pass
    called, caller, root = spans.take()
    root = replace_span(root, attributes={"mlflow.spanInputs": '{"q": "the question"}'})
    return [
        [with_totals(called, 3, 0.5)],
        [with_totals(caller, 4, 0.25), root],
    ]


@pytest.mark.parametrize(
    "order", [(0, 1), (1, 0), (0, 1, 0, 1), (1, 0, 0)], ids=lambda order: f"{order}"
)
def test_services_of_one_trace_write_one_file(fake_server, parts, send, order):
    """Also if a service sends its part again in a new process."""
    server = FileServer(fake_server)
    for index in order:
        send(*parts[index])
    assert sorted(server.span_names) == [
        "call of the called",
        "call of the caller",
        "root",
    ]
    trace_info = server.trace_infos[-1]
    assert trace_info["state"] == "OK"
    assert trace_info["tags"]["mlflow.traceName"] == "root"
    assert "the question" in trace_info["request_preview"]
    metadata = trace_info["trace_metadata"]
    assert json.loads(metadata["mlflow.trace.tokenUsage"]) == {"total_tokens": 7}
    assert json.loads(metadata["mlflow.trace.cost"]) == {"total_cost": 0.75}


@pytest.mark.parametrize(
    "stored",
    [
        {"request_time": "x"},
        {"request_time": None},
        {"trace_metadata": None},
        {"state": None},
    ],
)
def test_trace_info_of_another_form_is_replaced(fake_server, parts, send, stored):
    server = FileServer(fake_server)
    send(*parts[0])
    tags = {"mlflow.artifactLocation": server.location}
    server.trace_infos[-1] |= {"tags": tags} | stored
    send(*parts[1])
    assert len(server.spans) == 3
    assert server.trace_infos[-1]["state"] == "OK"


@pytest.mark.parametrize("content", [b"no JSON", b"[]", b"{}", b'{"spans": null}'])
def test_file_of_another_form_is_replaced(fake_server, parts, send, content):
    server = FileServer(fake_server)
    send(*parts[0])
    server.files = dict.fromkeys(server.files, content)
    send(*parts[1])
    assert sorted(server.span_names) == ["call of the caller", "root"]


def test_root_without_previews_has_those_of_a_called_service(fake_server, trace, send):
    server = FileServer(fake_server)
    child, root = trace
    send(with_totals(child, 3, 0.5))
    send(root)
    assert "the question of child" in server.trace_infos[-1]["request_preview"]


def test_missing_file_is_written_again(fake_server, trace):
    server = FileServer(fake_server)
    child, root = trace
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([root])
    server.files.clear()
    destination.send([child])
    destination.close()
    assert server.span_names == ["child"]


def test_mlflow_client_writes_to_a_storage_of_its_own(fake_server, trace, tmp_path):
    FileServer(fake_server, tmp_path.as_uri())
    child, root = trace
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([root])
    destination.send([child])
    destination.close()
    spans = json.loads((tmp_path / "traces.json").read_bytes())["spans"]
    assert [span["name"] for span in spans] == ["root", "child"]


def test_unknown_storage_is_an_error_without_its_credentials(fake_server, trace):
    server = FileServer(fake_server, "nowhere://user:secret@host/7")
    destination = new_destination(fake_server.uri, experiment_id=7)
    error = export_error(destination, trace)
    assert error.cause.startswith(
        "the trace info is stored, but the spans cannot be stored ("
    )
    assert "--serve-artifacts" in error.advice
    assert "secret" not in error.cause + error.advice
    # A file that cannot be read is written again.
    server.location = "mlflow-artifacts:/7/a b"
    export_error(destination, trace)
    destination.close()


@pytest.mark.parametrize(
    ("method", "response", "cause"),
    [
        ("PUT", Response(403), "MLflow denies permission (403)"),
        ("GET", Response(403), "MLflow denies permission (403)"),
        ("POST", Response(403), "MLflow denies permission (403)"),
        (
            "POST",
            error_response(404, "RESOURCE_DOES_NOT_EXIST"),
            "experiment 7 does not exist (404 RESOURCE_DOES_NOT_EXIST)",
        ),
    ],
)
def test_rejected_request_is_an_error(fake_server, trace, method, response, cause):
    server = FileServer(fake_server)
    destination = new_destination(fake_server.uri, experiment_id=7)
    if method == "GET":
        destination.send(trace)
    server.error = {method: response}
    assert export_error(destination, trace).cause == cause
    destination.close()


def test_new_server_without_otlp_is_an_error_if_it_stores_spans(fake_server, trace):
    server = FileServer(fake_server)
    fake_server.version = "3.17.2"
    info = {"tags": {"mlflow.trace.spansLocation": "TRACKING_STORE"}}
    stored = Response(body=json.dumps({"trace": {"trace_info": info}}).encode())
    fake_server.respond = lambda request: (
        stored if request.path == TRACES else Response(404)
    )
    destination = new_destination(fake_server.uri, experiment_id=7)
    error = export_error(destination, trace)
    destination.close()
    assert error.cause == "the server does not have this path (404)"
    assert server.files == {}


@pytest.mark.parametrize("version", ["3.4.0", "3.10.0", "3.17.2"])
def test_trace_goes_to_the_experiment_and_the_run_that_it_names(
    fake_server, trace, version
):
    server = FileServer(fake_server)
    fake_server.version = version
    child, root = trace
    metadata = {
        METADATA_PREFIX + "mlflow.sourceRun": "run-1",
        METADATA_PREFIX + "team": "search",
    }
    settings = {EXPERIMENT_ID: "9"}
    child = replace_span(child, attributes={**child.attributes, **settings})
    root = replace_span(root, attributes={**root.attributes, **settings, **metadata})
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([child, root])
    destination.close()
    (info,) = server.trace_infos
    assert info["trace_location"]["mlflow_experiment"] == {"experiment_id": "9"}
    assert info["trace_metadata"]["mlflow.sourceRun"] == "run-1"
    assert info["trace_metadata"]["team"] == "search"
    sent = b"".join(request.body for request in fake_server.requests)
    assert METADATA_PREFIX.encode() not in sent
    assert EXPERIMENT_ID.encode() not in sent
    headers = [
        (
            request.headers.get("x-mlflow-experiment-id"),
            request.headers.get("x-mlflow-run-id"),
        )
        for request in fake_server.requests
        if request.path == "/v1/traces"
    ]
    assert headers == ([] if version == "3.4.0" else [("9", "run-1")])
