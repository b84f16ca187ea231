"""An exporter whose spans wait in a spool."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._delivery import _availability, _sender
from opentelemetry.exporter.mlflow._delivery._spool_database import FILE_NAME
from tests.exporter.conftest import Response, error_response

from .accepted_spans import wait_until

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture(autouse=True)
def short_delays(monkeypatch):
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(_sender, "_FIRST_POLL_SECONDS", 0.05)


@pytest.fixture
def new_exporter(fake_server, tmp_path):
    exporters = []

    def new_exporter(**arguments):
        exporter = MlflowSpanExporter(
            tracking_uri=fake_server.uri, spool=tmp_path / "spool", **arguments
        )
        exporters.append(exporter)
        return exporter

    yield new_exporter
    for exporter in exporters:
        exporter.shutdown()


def sent_names(fake_server):
    return [name for request in fake_server.requests for name in request.span_names]


def spooled_bodies(tmp_path):
    with closing(sqlite3.connect(tmp_path / "spool" / FILE_NAME)) as database:
        return [body for (body,) in database.execute("SELECT body FROM bodies")]


def test_nothing_stays_in_the_spool_after_a_success(
    fake_server, new_exporter, spans, tmp_path
):
    assert new_exporter().export([spans.make("a")]) is SUCCESS
    assert sent_names(fake_server) == ["a"]
    assert spooled_bodies(tmp_path) == []


def test_spans_are_stored_before_they_are_sent(
    fake_server, new_exporter, spans, tmp_path
):
    stored = []

    def respond(request):
        stored.extend(spooled_bodies(tmp_path))
        return Response()

    fake_server.respond = respond
    new_exporter().export([spans.make("a")])
    assert stored == [fake_server.requests[0].message.SerializeToString()]


def test_the_next_exporter_sends_what_the_last_one_could_not_send(
    fake_server, new_exporter, spans, caplog
):
    fake_server.respond = lambda _: Response(503)
    exporter = new_exporter()
    for name in ("a", "b"):
        assert exporter.export([spans.make(name)]) is FAILURE
    exporter.shutdown()
    assert exporter.dropped_spans == 0
    assert "Spans that wait in the spool in" in caplog.messages[-1]
    assert caplog.messages[-1].endswith(
        ": 2. They are sent when a program with the same settings runs."
    )
    fake_server.requests.clear()
    fake_server.respond = lambda _: Response()
    new_exporter()
    wait_until(lambda: len(fake_server.requests) == 2)
    # The first one has failed, and lets the other one go first.
    assert sorted(sent_names(fake_server)) == ["a", "b"]


def test_what_waits_for_another_experiment_is_not_sent(
    fake_server, new_exporter, spans
):
    fake_server.respond = lambda _: Response(503)
    exporter = new_exporter(experiment_id=1)
    exporter.export([spans.make("a")])
    exporter.shutdown()
    fake_server.requests.clear()
    fake_server.respond = lambda _: Response()
    other = new_exporter(experiment_id=2)
    other.export([spans.make("b")])
    assert other.force_flush()
    assert sent_names(fake_server) == ["b"]
    assert new_exporter(experiment_id=1).force_flush()
    assert sent_names(fake_server) == ["b", "a"]
    assert fake_server.requests[-1].headers["x-mlflow-experiment-id"] == "1"


def test_the_spool_contains_what_redaction_has_left(
    fake_server, new_exporter, spans, tmp_path
):
    def redact(content):
        return content._replace(
            attributes={
                name: value.replace("s3cr3t", "…") if isinstance(value, str) else value
                for name, value in content.attributes.items()
            }
        )

    fake_server.respond = lambda _: Response(503)
    exporter = new_exporter(redact=redact)
    exporter.export([spans.make("a", {"note": "a s3cr3t"})])
    (body,) = spooled_bodies(tmp_path)
    assert b"a \xe2\x80\xa6" in body
    for path in (tmp_path / "spool").iterdir():
        assert b"s3cr3t" not in path.read_bytes()


def test_a_rejected_span_does_not_stay_in_the_spool(
    fake_server, new_exporter, spans, tmp_path
):
    fake_server.respond = lambda request: (
        error_response(400, "INVALID_PARAMETER_VALUE")
        if "bad" in request.span_names
        else Response()
    )
    exporter = new_exporter()
    names = ["a", "bad", "b"]
    assert exporter.export([spans.make(name) for name in names]) is FAILURE
    assert exporter.dropped_spans == 1
    assert spooled_bodies(tmp_path) == []


def test_a_request_that_is_accepted_in_parts_leaves_the_rest(
    fake_server, new_exporter, spans, tmp_path
):
    def respond(request):
        if len(request.span_names) > 1:
            return Response(413)
        return Response(503 if request.span_names == ["b"] else 200)

    fake_server.respond = respond
    exporter = new_exporter()
    assert exporter.export([spans.make(name) for name in ("a", "b")]) is FAILURE
    assert len(spooled_bodies(tmp_path)) == 1
    fake_server.respond = lambda _: Response()
    wait_until(lambda: spooled_bodies(tmp_path) == [])
    assert sent_names(fake_server)[-1] == "b"
    assert exporter.dropped_spans == 0


def test_a_body_that_cannot_be_read_is_dropped(
    fake_server, new_exporter, spans, tmp_path, caplog
):
    fake_server.respond = lambda _: Response(503)
    exporter = new_exporter()
    exporter.export([spans.make("a"), spans.make("b")])
    exporter.shutdown()
    with closing(sqlite3.connect(tmp_path / "spool" / FILE_NAME)) as database:
        database.execute("UPDATE bodies SET body = x'ff'")
        database.commit()
    fake_server.respond = lambda _: Response()
    next_exporter = new_exporter()
    wait_until(lambda: next_exporter.dropped_spans)
    assert next_exporter.dropped_spans == 2
    assert "a request in the spool cannot be read" in caplog.text


def test_spans_wait_in_memory_if_the_spool_cannot_be_used(
    fake_server, spans, tmp_path, caplog
):
    (tmp_path / "file").touch()
    fake_server.respond = lambda _: Response(503)
    spool = tmp_path / "spool"
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, spool=spool)
    spool.symlink_to(tmp_path / "file")
    exporter.export([spans.make("a")])
    assert "Cannot use the spool" in caplog.text
    fake_server.respond = lambda _: Response()
    wait_until(lambda: sent_names(fake_server)[-1:] == ["a"])
    exporter.shutdown()
    assert exporter.dropped_spans == 0


def test_a_file_in_place_of_the_folder_is_an_invalid_setting(tmp_path):
    (tmp_path / "spool").touch()
    with pytest.raises(ValueError, match="the argument spool must be a folder"):
        MlflowSpanExporter(tracking_uri="http://localhost:1", spool=tmp_path / "spool")


@pytest.mark.parametrize("value", ["64MB", "0", "-1", "1.5", "²"])
def test_the_size_of_the_buffer_is_a_number_of_bytes(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES", value)
    with pytest.raises(
        ValueError, match=r"^OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES must be a number of"
    ):
        MlflowSpanExporter(tracking_uri="http://localhost:1")
