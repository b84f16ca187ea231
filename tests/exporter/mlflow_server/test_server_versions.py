"""A real server whose version is hidden, changes, or is an old one.

The newest MLflow accepts what the exporter sends to an older one, too. Servers of older
versions are tested in tests/mlflow_versions.
"""

from __future__ import annotations

from itertools import cycle, repeat

import pytest
import requests

from opentelemetry.exporter.mlflow._destinations import _server_version
from tests.exporter.conftest import Response, run_fake_server

from .agent_spans import PROMPT, make_chat_span, message, text_part
from .conftest import IGNORE_STORE_WARNING, Mlflow

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]

HTML = Response(200, b"<p>Log in</p>", {"Content-Type": "text/html"})
_HOP_HEADERS = ("host", "content-length", "connection", "accept-encoding")


@pytest.fixture
def hide_version(server):
    """A function that runs a proxy in front of the server.

    It responds to requests for the version with the given responses.
    """
    proxies = []

    def run_proxy(version_responses):
        context = run_fake_server()
        proxy = context.__enter__()
        proxies.append(context)
        proxy.version = lambda: next(version_responses)

        def forward(request):
            response = requests.request(
                request.method,
                server.uri + request.path,
                data=request.body,
                headers={
                    name: value
                    for name, value in request.headers.items()
                    if name not in _HOP_HEADERS
                },
                timeout=30,
            )
            content_type = response.headers.get("Content-Type", "")
            return Response(
                response.status_code, response.content, {"Content-Type": content_type}
            )

        proxy.respond = forward
        return Mlflow(proxy.uri)

    yield run_proxy
    for context in proxies:
        context.__exit__(None, None, None)


def make_request_spans(spans):
    """A web request with a model call: the call ends first."""
    attributes = {"session.id": "s-1", "user.id": "ada"}
    with spans.tracer.start_as_current_span("POST /ask", attributes=attributes):
        make_chat_span(
            spans,
            PROMPT,
            message("assistant", text_part("Rain."), finish_reason="stop"),
        )
    return spans.take()


def facts(mlflow, span):
    trace = mlflow.read_trace(span)
    metadata = trace.info.trace_metadata
    return {
        "name": trace.info.tags["mlflow.traceName"],
        "state": trace.info.state.value,
        "previews": (trace.info.request_preview, trace.info.response_preview),
        "session": metadata["mlflow.trace.session"],
        "user": metadata["mlflow.trace.user"],
        "tokens": trace.info.token_usage["total_tokens"],
        "cache": trace.info.token_usage["cache_read_input_tokens"],
        "has_cost": trace.info.cost["total_cost"] > 0,
        "service": trace.info.tags["service.name"],
        "spans": sorted(span.name for span in trace.data.spans),
    }


FACTS = {
    "name": "POST /ask",
    "state": "OK",
    "previews": ("Paris?", "Rain."),
    "session": "s-1",
    "user": "ada",
    "tokens": 1100,
    "cache": 600,
    "has_cost": True,
    "service": "shop",
    "spans": ["POST /ask", "chat deepseek-v4-flash"],
}


@pytest.mark.parametrize(
    "responses",
    [
        repeat(Response(404)),
        repeat(Response(401)),
        repeat(Response(503)),
        repeat(HTML),
        repeat(Response(200, b"3.10.1")),
        cycle([Response(200, b"3.17.2"), Response(200, b"3.10.1")]),
        cycle([Response(200, b"3.10.1"), Response(200, b"3.17.2")]),
        # The newest server can read files, too.
        repeat(Response(200, b"3.4.0")),
        cycle([Response(200, b"3.17.2"), Response(200, b"3.4.0"), Response(404)]),
    ],
    ids=["404", "401", "503", "html", "old", "older", "newer", "files", "mixed"],
)
def test_traces_are_whole_whatever_the_server_says_of_its_version(
    hide_version, spans, monkeypatch, responses
):
    # Each export reads the version again.
    monkeypatch.setattr(_server_version, "_MAX_AGE_SECONDS", 0.0)
    monkeypatch.setattr(_server_version, "_RETRY_SECONDS", 0.0)
    mlflow = hide_version(responses)
    # MLflow's client downloads files from there.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.uri)
    traces = [make_request_spans(spans) for _ in range(3)]
    exporter = mlflow.make_exporter()
    for call, root in traces:
        # In two exports, as the batch processor may do.
        exporter.export([call])
        exporter.export([root])
    exporter.shutdown()
    assert exporter.dropped_spans == 0
    assert [facts(mlflow, root) for _, root in traces] == [FACTS] * 3
