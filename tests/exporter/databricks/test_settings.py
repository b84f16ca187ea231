"""Settings that select a workspace."""

from __future__ import annotations

import sys

import pytest
from inline_snapshot import snapshot

from .destination import new_destination, translate
from .fake_databricks import EXPERIMENT


@pytest.mark.parametrize(
    ("uri", "name", "message"),
    [
        ("databricks", "agents", "the path of an experiment in the Databricks work"),
        ("databricks://scope:prefix", EXPERIMENT, "databricks://profile"),
        ("databricks:/p", EXPERIMENT, "databricks://profile"),
        ("databricks-uc", EXPERIMENT, "databricks://profile"),
    ],
)
def test_invalid_setting_raises_value_error(uri, name, message):
    with pytest.raises(ValueError, match=message):
        new_destination(uri, experiment_name=name)


@pytest.mark.parametrize("module", ["databricks", "databricks.sdk"])
def test_missing_package_raises_import_error(monkeypatch, module):
    monkeypatch.delitem(sys.modules, "databricks.sdk", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"\[databricks\]"):
        new_destination()


def test_no_request_before_first_export(databricks):
    destination = new_destination()
    destination.after_fork()
    destination.close()
    assert destination.address == "databricks"
    assert destination.wants_whole_traces is True
    assert databricks.requests == []


def test_target_is_logged(databricks, spans, caplog):
    caplog.set_level("INFO", "opentelemetry.exporter.mlflow")
    destination = new_destination()
    destination.send(translate([spans.make()]))
    destination.close()
    assert [
        record.getMessage()
        for record in caplog.records
        if record.name == "opentelemetry.exporter.mlflow"
    ] == snapshot(
        [
            (
                "Exporting spans to MLflow at databricks (the argument tracking_uri), "
                "experiment '/Shared/deepseek-demo' (the argument experiment_name)"
            )
        ]
    )
