"""Traces are stored whole, though the exporter's batches are no traces."""

from __future__ import annotations

import pytest
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._mlflow_bridge import _trace_buffer

from .agent import agent
from .exchange import Answered
from .fake import EXPERIMENT
from .received import ROW, SPANS, blob
from .sending import mapped, to


@pytest.fixture
def exporter(databricks):
    exporter = MlflowSpanExporter(tracking_uri="databricks", experiment_name=EXPERIMENT)
    yield exporter
    exporter.shutdown()


def rows(fake):
    return {
        sent.body["trace"]["trace_info"]["tags"]["mlflow.traceName"]: sent.body[
            "trace"
        ]["trace_info"]["state"]
        for sent in fake.sent(ROW)
    }


def test_a_trace_waits_for_its_root(databricks, exporter, spans):
    first, second = agent(spans), agent(spans)
    # Of two at once, span by span.
    for pair in zip(first[:-1], second[:-1], strict=True):
        exporter.export(pair)
    assert exporter.force_flush()
    assert databricks.sent(ROW) == []
    exporter.export([first[-1], second[-1]])
    assert len(databricks.sent(ROW)) == 2
    for ended in (first, second):
        assert [span["name"] for span in blob(databricks, ended[-1])] == [
            "POST /ask",
            "chat",
            "execute_tool weather",
        ]
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert row["request_preview"] == "Wie heißt 🐘?"
    assert '"total_tokens": 15' in row["trace_metadata"]["mlflow.trace.tokenUsage"]


def test_a_root_below_another_process_is_one(databricks, exporter, spans):
    remote = SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1))
    context = set_span_in_context(NonRecordingSpan(remote))
    with (
        spans.tracer.start_as_current_span("served", context),
        spans.tracer.start_as_current_span("inner"),
    ):
        pass
    for span in spans.take():
        exporter.export([span])
    assert rows(databricks) == {"served": "OK"}
    assert len(databricks.sent(SPANS, "PUT")) == 1


def test_what_ends_after_its_root_does_not_wait(databricks, exporter, spans):
    *children, root = agent(spans)
    for span in (children[0], root, children[1]):
        exporter.export([span])
    assert len(blob(databricks, root)) == 3
    assert rows(databricks) == {"POST /ask": "OK"}


def test_several_traces_may_come_at_once(databricks, spans):
    ended = [spans.made("a"), spans.made("b")]
    place = to()
    place.send(mapped(ended))
    place.close()
    assert len(databricks.traces) == len(databricks.blobs) == 2


def test_more_traces_may_come_at_once_than_are_remembered(
    databricks, exporter, monkeypatch, spans
):
    monkeypatch.setattr(_trace_buffer, "_MAX_TRACES", 1)
    exporter.export([spans.made(name) for name in ("a", "b", "c")])
    assert rows(databricks) == {"a": "OK", "b": "OK", "c": "OK"}
    assert exporter.dropped_spans == 0


def test_the_end_of_the_program_sends_what_waits(databricks, exporter, spans):
    *children, root = agent(spans)
    exporter.export(children)
    assert databricks.sent(ROW) == []
    exporter.shutdown()
    assert rows(databricks) == {"chat": "IN_PROGRESS"}
    assert len(blob(databricks, root)) == 2
    assert exporter.dropped_spans == 0


def test_one_trace_that_is_refused_is_lost_alone(databricks, exporter, spans):
    ended = [spans.made("a"), spans.made("b"), spans.made("c")]
    name = f"tr-{ended[1].context.trace_id:032x}"
    databricks.fail[f"/blob/{name}"] = Answered(403)
    exporter.export(ended[:1])
    exporter.export(ended[1:2])
    exporter.export(ended[2:])
    assert exporter.dropped_spans == 1
    assert len(databricks.blobs) == 2
