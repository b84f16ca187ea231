"""What says that spans go to a workspace, and to which."""

from __future__ import annotations

import sys

import pytest
from inline_snapshot import snapshot

from .fake import EXPERIMENT
from .sending import mapped, to


@pytest.mark.parametrize(
    ("uri", "name", "objection"),
    [
        ("databricks", "agents", "the path of an experiment in the Databricks work"),
        ("databricks://scope:prefix", EXPERIMENT, "databricks://profile"),
        ("databricks:/p", EXPERIMENT, "databricks://profile"),
        ("databricks-uc", EXPERIMENT, "databricks://profile"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(uri, name, objection):
    with pytest.raises(ValueError, match=objection):
        to(uri, experiment_name=name)


@pytest.mark.parametrize("missing", ["databricks", "databricks.sdk"])
def test_the_package_it_takes_is_named(monkeypatch, missing):
    monkeypatch.delitem(sys.modules, "databricks.sdk", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"\[databricks\]"):
        to()


def test_nothing_is_asked_before_the_first_export(databricks):
    place = to()
    place.after_fork()
    place.close()
    assert place.address == "databricks"
    assert place.wants_whole_traces is True
    assert databricks.requests == []


def test_the_log_says_where_to(databricks, spans, caplog):
    caplog.set_level("INFO", "opentelemetry.exporter.mlflow")
    place = to()
    place.send(mapped([spans.made()]))
    place.close()
    assert [
        record.getMessage()
        for record in caplog.records
        if record.name == "opentelemetry.exporter.mlflow"
    ] == snapshot(
        [
            (
                "Spans go to MLflow at databricks (the argument tracking_uri), into "
                "the experiment '/Shared/deepseek-demo' (the argument experiment_name)"
            )
        ]
    )
