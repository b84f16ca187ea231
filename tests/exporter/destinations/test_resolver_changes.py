"""What an application says of the place after the first export."""

from __future__ import annotations

from importlib import metadata

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._destinations import ExportError

from .catalogue import sent_to
from .sending import to

pytestmark = pytest.mark.usefixtures("catalogue")


def test_what_nobody_has_named_yet_is_asked_for_again(mlflow, wire, spans, lines):
    """As when a span ends between the application's two calls."""
    server = to()
    mlflow.set_tracking_uri(wire.uri)
    server.send([spans.made()])
    mlflow.set_experiment("agents")
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["0", "5"]
    assert lines(wire) == snapshot(
        [
            (
                "INFO Spans go to MLflow at <0> (mlflow.set_tracking_uri), into the "
                "experiment 0 (MLflow's default)"
            ),
            (
                "INFO Spans go to MLflow at <0> (mlflow.set_tracking_uri), into the "
                "experiment 5 (mlflow.set_experiment)"
            ),
        ]
    )


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("moved", ["uri", "experiment"])
def test_what_was_named_stays_and_a_move_is_said_once(
    mlflow, wire, spans, lines, before, moved
):
    """`before`: the application had called them when the exporter was made."""
    server = None if before else to()
    mlflow.set_tracking_uri(wire.uri)
    mlflow.set_experiment("agents")
    server = server or to()
    server.send([spans.made()])
    if moved == "uri":
        mlflow.set_tracking_uri("http://127.0.0.1:9")
    else:
        mlflow.set_experiment("others")
    server.send([spans.made()])
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5", "5", "5"]
    assert lines(wire)[1:] == snapshot(
        [
            (
                "WARNING The application has turned to another place with "
                "mlflow.set_tracking_uri or mlflow.set_experiment. Spans go on to <0>, "
                "into the experiment 5; a new MlflowSpanExporter would send them "
                "elsewhere. (This is said once.)"
            )
        ]
    )


def test_an_address_of_the_application_may_be_wrong_until_it_is_right(
    mlflow, wire, spans
):
    server = to()
    mlflow.set_tracking_uri("file:///tmp/mlruns")
    with pytest.raises(ExportError) as caught:
        server.send([spans.made()])
    assert caught.value.cause == snapshot(
        "mlflow.set_tracking_uri: MLflow keeps no spans in files "
        "('file:///tmp/mlruns'). A store is sqlite:///mlflow.db, a server "
        "http://localhost:5000"
    )
    assert not caught.value.is_divisible
    assert server.wants_whole_traces is False
    mlflow.set_tracking_uri(wire.uri)
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["0"]


def test_a_default_that_is_not_installed_is_said_at_the_first_export(
    mlflow, monkeypatch, wire, spans
):
    """An application with `mlflow-tracing` alone may name a server until then."""

    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    store = to()
    store.close()
    store.after_fork()
    assert store.address == "sqlite:///mlflow.db"
    with pytest.raises(ExportError, match="pip install mlflow"):
        store.send([spans.made()])
    mlflow.set_tracking_uri(wire.uri)
    store.send([spans.made()])
    assert sent_to(wire) == ["0"]
