"""Changes of MLflow's fluent state after the exporter is created."""

from __future__ import annotations

from importlib import metadata

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._destinations import ExportError

from .destination import new_destination
from .experiments_api import experiment_ids

pytestmark = pytest.mark.usefixtures("experiments_api")


def test_unset_experiment_is_resolved_again(mlflow, fake_server, spans, log_lines):
    """For example, a span ends between the two calls of the application."""
    destination = new_destination()
    mlflow.set_tracking_uri(fake_server.uri)
    destination.send([spans.make()])
    mlflow.set_experiment("agents")
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["0", "5"]
    assert log_lines(fake_server) == snapshot(
        [
            (
                "INFO Exporting spans to MLflow at <0> (mlflow.set_tracking_uri), "
                "experiment 0 (MLflow's default)"
                ": version 3.17.2, spans by OTLP"
            ),
            (
                "INFO Exporting spans to MLflow at <0> (mlflow.set_tracking_uri), "
                "experiment 5 (mlflow.set_experiment)"
                ": version 3.17.2, spans by OTLP"
            ),
        ]
    )


@pytest.mark.parametrize("is_set_before", [True, False])
@pytest.mark.parametrize("changed", ["uri", "experiment"])
def test_resolved_target_is_fixed_and_change_is_logged_once(
    mlflow, fake_server, spans, log_lines, is_set_before, changed
):
    """`is_set_before`: the application sets both before the exporter is created."""
    destination = None if is_set_before else new_destination()
    mlflow.set_tracking_uri(fake_server.uri)
    mlflow.set_experiment("agents")
    destination = destination or new_destination()
    destination.send([spans.make()])
    if changed == "uri":
        mlflow.set_tracking_uri("http://127.0.0.1:9")
    else:
        mlflow.set_experiment("others")
    destination.send([spans.make()])
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["5", "5", "5"]
    assert log_lines(fake_server)[1:] == snapshot(
        [
            (
                "WARNING The application has selected another destination with "
                "mlflow.set_tracking_uri or mlflow.set_experiment. Spans are still "
                "exported to <0>, experiment 5. To change the destination, create a "
                "new MlflowSpanExporter. This is logged once."
            )
        ]
    )


def test_application_may_correct_invalid_tracking_uri(mlflow, fake_server, spans):
    destination = new_destination()
    mlflow.set_tracking_uri("file:///tmp/mlruns")
    with pytest.raises(ExportError) as raised:
        destination.send([spans.make()])
    assert raised.value.cause == snapshot(
        "mlflow.set_tracking_uri must be the URL of an MLflow server, for example "
        "http://localhost:5000, or of a database, for example sqlite:///mlflow.db "
        "(MLflow does not store spans in files); got 'file:///tmp/mlruns'"
    )
    assert not raised.value.is_divisible
    assert destination.wants_whole_traces is False
    mlflow.set_tracking_uri(fake_server.uri)
    destination.send([spans.make()])
    destination.close()
    assert experiment_ids(fake_server) == ["0"]


def test_missing_package_for_default_store_is_reported_at_export(
    mlflow, monkeypatch, fake_server, spans
):
    """An application with only `mlflow-tracing` may set a server before that."""

    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    destination = new_destination()
    destination.close()
    destination.after_fork()
    assert destination.address == "sqlite:///mlflow.db"
    with pytest.raises(ExportError, match="requires the full mlflow") as raised:
        destination.send([spans.make()])
    assert raised.value.advice.startswith("pip install mlflow ")
    mlflow.set_tracking_uri(fake_server.uri)
    destination.send([spans.make()])
    assert experiment_ids(fake_server) == ["0"]
