"""Spans of a trace that is stored already."""

from __future__ import annotations

from opentelemetry.exporter.mlflow._destinations import _trace_artifacts

from .agent_trace import agent_trace
from .destination import new_destination, translate
from .workspace_contents import TRACE_INFO_V3, stored_spans


def test_late_spans_are_added_to_stored_trace(databricks, spans):
    *children, root = translate(agent_trace(spans))
    destination = new_destination()
    destination.send([children[0], root])
    destination.send([children[1]])
    destination.send([children[1]])  # sent twice, stored once
    destination.close()
    assert [span["name"] for span in stored_spans(databricks, root)] == [
        "POST /ask",
        "chat",
        "execute_tool weather",
    ]
    assert len(databricks.requests_to(TRACE_INFO_V3)) == 1


def test_late_spans_are_stored_if_file_is_missing(databricks, spans):
    *children, root = translate(agent_trace(spans))
    destination = new_destination()
    destination.send([root])
    databricks.storage.files.clear()
    destination.send(children)
    destination.close()
    assert len(stored_spans(databricks, root)) == 2


def test_number_of_remembered_traces_is_limited(databricks, monkeypatch, spans):
    monkeypatch.setattr(_trace_artifacts, "_MAX_TRACES", 1)
    destination = new_destination()
    first, second = [spans.make("a")], [spans.make("b")]
    for finished in (first, second, second, first):
        destination.send(translate(finished))
    destination.close()
    assert len(databricks.requests_to(TRACE_INFO_V3)) == 3
