"""Spans of a trace that is already stored."""

from __future__ import annotations

from opentelemetry.exporter.mlflow._destinations._databricks import _experiment_traces

from .agent import agent
from .received import ROW, blob
from .sending import mapped, to


def test_what_ends_after_its_root_is_added(databricks, spans):
    *children, root = mapped(agent(spans))
    place = to()
    place.send([children[0], root])
    place.send([children[1]])
    place.send([children[1]])  # twice is once
    place.close()
    assert [span["name"] for span in blob(databricks, root)] == [
        "POST /ask",
        "chat",
        "execute_tool weather",
    ]
    assert len(databricks.sent(ROW)) == 1


def test_what_is_late_is_stored_though_the_rest_is_gone(databricks, spans):
    *children, root = mapped(agent(spans))
    place = to()
    place.send([root])
    databricks.blobs.clear()
    place.send(children)
    place.close()
    assert len(blob(databricks, root)) == 2


def test_only_so_many_traces_are_remembered(databricks, monkeypatch, spans):
    monkeypatch.setattr(_experiment_traces, "_MOST_TRACES", 1)
    place = to()
    first, second = [spans.made("a")], [spans.made("b")]
    for ended in (first, second, second, first):
        place.send(mapped(ended))
    place.close()
    assert len(databricks.sent(ROW)) == 3
