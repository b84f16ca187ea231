"""The collector loses only the requests that MLflow rejects, and counts their spans."""

from __future__ import annotations

import hashlib

import pytest

from tests.exporter.conftest import Response, run_fake_server

from .conftest import AGENT_CONFIG, send_spans, tracer_for, wait_until

pytestmark = pytest.mark.e2e

MLFLOW_EXPORTER = {"exporter": "otlp_http/mlflow"}
SENT = "otelcol_exporter_sent_spans"
FAILED = "otelcol_exporter_send_failed_spans"


@pytest.mark.parametrize("status", [404, 413, 422, 500])
def test_rejected_request_is_counted_and_does_not_stop_others(
    make_collector, receiver, status
):
    with (
        run_fake_server() as mlflow,
        make_collector(
            *AGENT_CONFIG,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=mlflow.uri,
        ) as collector,
    ):
        mlflow.respond = lambda _: Response(status, b"")
        send_spans(collector, *[{}] * 3)
        wait_until(lambda: collector.metric(FAILED, **MLFLOW_EXPORTER) == 3)
        mlflow.respond = lambda _: Response()
        send_spans(collector, {}, {})
        wait_until(lambda: collector.metric(SENT, **MLFLOW_EXPORTER) == 2)
        assert collector.metric(FAILED, **MLFLOW_EXPORTER) == 3
        wait_until(lambda: len(receiver.spans) == 5)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_unavailable_mlflow_loses_no_span(make_collector, receiver, status):
    with (
        run_fake_server() as mlflow,
        make_collector(
            *AGENT_CONFIG,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=mlflow.uri,
        ) as collector,
    ):
        mlflow.respond = lambda _: Response(
            200 if len(mlflow.requests) > 2 else status, b""
        )
        send_spans(collector, {}, {})
        wait_until(lambda: collector.metric(SENT, **MLFLOW_EXPORTER) == 2)
        assert collector.metric(FAILED, **MLFLOW_EXPORTER) == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_followed_and_rejected_spans_are_counted(
    make_collector, receiver, status
):
    with (
        run_fake_server() as target,
        run_fake_server() as mlflow,
        make_collector(
            *AGENT_CONFIG,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=mlflow.uri,
        ) as collector,
    ):
        target.respond = lambda request: Response(
            200 if request.method == "POST" else 405, b""
        )
        mlflow.respond = lambda _: Response(status, b"", {"Location": target.uri})
        send_spans(collector, {}, {})
        metric = SENT if status in {307, 308} else FAILED
        wait_until(lambda: collector.metric(metric, **MLFLOW_EXPORTER) == 2)


def test_web_page_after_redirect_counts_as_sent(make_collector, receiver):
    """A limitation of the collector, which the README documents."""
    with (
        run_fake_server() as page,
        run_fake_server() as mlflow,
        make_collector(
            *AGENT_CONFIG,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=mlflow.uri,
        ) as collector,
    ):
        page.respond = lambda _: Response(200, b"log in", {"Content-Type": "text/html"})
        mlflow.respond = lambda _: Response(302, b"", {"Location": page.uri})
        send_spans(collector, {}, {})
        wait_until(lambda: collector.metric(SENT, **MLFLOW_EXPORTER) == 2)
        assert [request.method for request in page.requests] == ["GET"]


def test_values_that_mlflow_cannot_store_are_adjusted(
    make_collector, mlflow_uri, experiment_id, wait_for_traces
):
    with make_collector(
        *AGENT_CONFIG,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
    ) as collector:
        send_spans(
            collector,
            {"session.id": "s" * 300, "user.id": "é" * 200},
            {"gen_ai.operation.name": 7},
            {"text": "a\0b"},
            {"text": "[" * 100_000},
            {"text": "9" * 5_000},
            {"text": f"[{'9' * 5_000}]"},
            {"session.id": "short"},
        )
        traces = wait_for_traces(experiment_id, lambda traces: len(traces) == 7)
        assert collector.metric(FAILED, **MLFLOW_EXPORTER) == 0
    assert len({trace.info.trace_id for trace in traces}) == 7
    sessions = {
        trace.info.trace_metadata.get("mlflow.trace.session") for trace in traces
    }
    assert sessions == {"short", None, hashlib.sha256(b"s" * 300).hexdigest()}


def test_impossible_times_are_adjusted(
    make_collector, mlflow_uri, experiment_id, wait_for_traces
):
    with make_collector(
        *AGENT_CONFIG,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
    ) as collector:
        with tracer_for(collector) as tracer:
            tracer.start_span("start out of range", start_time=2**63).end()
            tracer.start_span("end out of range").end(2**64 - 1)
            tracer.start_span("now").end()
        traces = wait_for_traces(experiment_id, lambda traces: len(traces) == 3)
        assert collector.metric(FAILED, **MLFLOW_EXPORTER) == 0
    assert len(traces) == 3


def test_rejected_span_loses_only_its_request(make_collector, receiver):
    """MLflow may reject spans for reasons that agent.yaml does not handle."""
    with (
        run_fake_server() as mlflow,
        make_collector(
            *AGENT_CONFIG,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=mlflow.uri,
        ) as collector,
    ):
        mlflow.respond = lambda request: Response(
            400 if b"invalid" in request.message.SerializeToString() else 200, b""
        )
        send_spans(collector, {"text": "invalid"}, {})
        wait_until(lambda: collector.metric(FAILED, **MLFLOW_EXPORTER) == 2)
        send_spans(collector, {})
        wait_until(lambda: collector.metric(SENT, **MLFLOW_EXPORTER) == 1)
