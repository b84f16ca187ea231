"""What MLflow does not take: only that is lost, and the collector counts it."""

from __future__ import annotations

import hashlib

import pytest

from tests.exporter.conftest import Answer, serving

from .conftest import AGENT, eventually, said, tracing

pytestmark = pytest.mark.e2e

TO_MLFLOW = {"exporter": "otlp_http/mlflow"}
SENT = "otelcol_exporter_sent_spans"
FAILED = "otelcol_exporter_send_failed_spans"


@pytest.mark.parametrize("status", [404, 413, 422, 500])
def test_a_refusal_is_counted_and_stops_nothing(collector, receiver, status):
    with (
        serving() as refusing,
        collector(
            *AGENT,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=refusing.uri,
        ) as running,
    ):
        refusing.answers = lambda _: Answer(status, b"")
        said(running, *[{}] * 3)
        eventually(lambda: running.metric(FAILED, **TO_MLFLOW) == 3)
        refusing.answers = lambda _: Answer()
        said(running, {}, {})
        eventually(lambda: running.metric(SENT, **TO_MLFLOW) == 2)
        assert running.metric(FAILED, **TO_MLFLOW) == 3
        eventually(lambda: len(receiver.spans) == 5)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_where_it_is_busy_or_away_nothing_is_lost(collector, receiver, status):
    with (
        serving() as busy,
        collector(
            *AGENT,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=busy.uri,
        ) as running,
    ):
        busy.answers = lambda _: Answer(200 if len(busy.requests) > 2 else status, b"")
        said(running, {}, {})
        eventually(lambda: running.metric(SENT, **TO_MLFLOW) == 2)
        assert running.metric(FAILED, **TO_MLFLOW) == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_is_followed_and_what_takes_no_spans_there_is_counted(
    collector, receiver, status
):
    with (
        serving() as elsewhere,
        serving() as refusing,
        collector(
            *AGENT,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=refusing.uri,
        ) as running,
    ):
        elsewhere.answers = lambda request: Answer(
            200 if request.method == "POST" else 405, b""
        )
        refusing.answers = lambda _: Answer(status, b"", {"Location": elsewhere.uri})
        said(running, {}, {})
        arrived = SENT if status in {307, 308} else FAILED
        eventually(lambda: running.metric(arrived, **TO_MLFLOW) == 2)


def test_a_page_behind_a_redirection_counts_as_delivered(collector, receiver):
    """So it is with the collector, and so the README says."""
    with (
        serving() as page,
        serving() as refusing,
        collector(
            *AGENT,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=refusing.uri,
        ) as running,
    ):
        page.answers = lambda _: Answer(200, b"log in", {"Content-Type": "text/html"})
        refusing.answers = lambda _: Answer(302, b"", {"Location": page.uri})
        said(running, {}, {})
        eventually(lambda: running.metric(SENT, **TO_MLFLOW) == 2)
        assert [request.method for request in page.requests] == ["GET"]


def test_what_mlflow_cannot_keep_is_made_fit_and_takes_nothing_with_it(
    collector, mlflow_uri, experiment, traces
):
    with collector(
        *AGENT, MLFLOW_TRACKING_URI=mlflow_uri, MLFLOW_EXPERIMENT_ID=experiment
    ) as running:
        said(
            running,
            {"session.id": "s" * 300, "user.id": "é" * 200},
            {"gen_ai.operation.name": 7},
            {"text": "a\0b"},
            {"text": "[" * 100_000},
            {"text": "9" * 5_000},
            {"text": f"[{'9' * 5_000}]"},
            {"session.id": "short"},
        )
        found = traces(experiment, lambda found: len(found) == 7)
        assert running.metric(FAILED, **TO_MLFLOW) == 0
    assert len({one.info.trace_id for one in found}) == 7
    sessions = {one.info.trace_metadata.get("mlflow.trace.session") for one in found}
    assert sessions == {"short", None, hashlib.sha256(b"s" * 300).hexdigest()}


def test_a_time_that_no_database_has_takes_nothing_with_it(
    collector, mlflow_uri, experiment, traces
):
    with collector(
        *AGENT, MLFLOW_TRACKING_URI=mlflow_uri, MLFLOW_EXPERIMENT_ID=experiment
    ) as running:
        with tracing(running) as tracer:
            tracer.start_span("too late", start_time=2**63).end()
            tracer.start_span("for ever").end(2**64 - 1)
            tracer.start_span("now").end()
        found = traces(experiment, lambda found: len(found) == 3)
        assert running.metric(FAILED, **TO_MLFLOW) == 0
    assert len(found) == 3


def test_what_is_refused_for_a_span_is_its_request_and_no_more(collector, receiver):
    """For what MLflow may refuse that nobody knows of."""
    with (
        serving() as refusing,
        collector(
            *AGENT,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=refusing.uri,
        ) as running,
    ):
        refusing.answers = lambda request: Answer(
            400 if b"poison" in request.message.SerializeToString() else 200, b""
        )
        said(running, {"text": "poison"}, {})
        eventually(lambda: running.metric(FAILED, **TO_MLFLOW) == 2)
        said(running, {})
        eventually(lambda: running.metric(SENT, **TO_MLFLOW) == 1)
