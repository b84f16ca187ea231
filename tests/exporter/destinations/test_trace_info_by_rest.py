"""The TraceInfo that the exporter sends to servers that do not compute it."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._trace_settings import CLIENT_TRACE_INFO
from tests.exporter.conftest import Response

from .destination import export_error, new_destination
from .old_server import V3, OldServer, json_response


def test_rejected_trace_info_loses_no_span_and_is_logged_once(
    fake_server, spans, log_lines
):
    fake_server.version = "3.10.1"
    fake_server.respond = lambda request: (
        Response() if request.path == "/v1/traces" else Response(400)
    )
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make()])
    destination.send([spans.make()])
    destination.close()
    (line,) = log_lines(fake_server)[1:]
    assert line.startswith(
        "WARNING MLflow at <0> has the spans of a trace, but rejects its TraceInfo: "
        "MLflow rejects some of the spans (400)"
    )


@pytest.mark.parametrize("status", [401, 503])
def test_trace_info_that_may_be_accepted_later_is_sent_again(
    fake_server, spans, status
):
    fake_server.version = "3.10.1"
    fake_server.respond = lambda request: (
        Response() if request.path == "/v1/traces" else Response(status)
    )
    destination = new_destination(fake_server.uri, experiment_id=7, timeout=1)
    assert export_error(destination, [spans.make()]).is_temporary
    destination.close()


def test_trace_info_keeps_the_entries_of_other_writers(fake_server, spans):
    """MLflow 3.6 fails if an entry of the stored TraceInfo is missing."""
    fake_server.version = "3.6.0"
    stored = {"tags": {"team": "search"}, "trace_metadata": {"release": "7"}}

    def respond(request):
        trace = {"trace": {"trace_info": stored}}
        if request.method == "POST" and "traces" in request.path:
            if request.path == "/v1/traces":
                return Response()
            trace = json.loads(request.body)
            if "release" not in trace["trace"]["trace_info"]["trace_metadata"]:
                return Response(500)
        return json_response(trace)

    fake_server.respond = respond
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make("one")])
    destination.close()
    info = json.loads(fake_server.requests[-1].body)["trace"]["trace_info"]
    assert (
        info["tags"]
        == {"mlflow.traceName": "one", "service.name": "shop"} | (stored["tags"])
    )
    assert info["trace_metadata"]["release"] == "7"


@pytest.mark.parametrize("version", ["3.4.0", "3.10.1"])
def test_trace_info_repeats_what_the_client_of_mlflow_knows(
    fake_server, spans, version
):
    fake_server.version = version
    server = OldServer(fake_server)
    client_info = {
        "state": "ERROR",
        "request_preview": "What?",
        "response_preview": None,
        "client_request_id": "r-1",
        "metadata": {"mlflow.trace.session": "s-1"},
        "tags": {"mlflow.traceName": "agent"},
    }
    span = spans.make("one")
    attributes = {
        **span.attributes,
        "mlflow.spanOutputs": "That.",
        CLIENT_TRACE_INFO: json.dumps(client_info),
    }
    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([replace_span(span, attributes=attributes)])
    destination.close()
    (request,) = [r for r in server.requests if r.path == V3]
    info = json.loads(request.body)["trace"]["trace_info"]
    assert info["state"] == "ERROR"
    assert (info["request_preview"], info["response_preview"]) == ("What?", '"That."')
    assert info["client_request_id"] == "r-1"
    assert info["tags"] == {"mlflow.traceName": "agent", "service.name": "shop"}
    assert info["trace_metadata"]["mlflow.trace.session"] == "s-1"
    assert not any(CLIENT_TRACE_INFO.encode() in r.body for r in server.requests)
