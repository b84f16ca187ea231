"""A local store before its first export."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest
from mlflow import MlflowClient

from .destination import new_destination


@pytest.mark.parametrize("package", ["mlflow-skinny", "sqlalchemy"])
def test_missing_package_raises_import_error(monkeypatch, package):
    if package == "mlflow-skinny":

        def version(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)
    else:
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ImportError, match="pip install mlflow"):
        new_destination("sqlite:///mlflow.db")


def test_close_does_not_open_store():
    destination = new_destination("sqlite:///mlflow.db")
    destination.after_fork()
    destination.close()
    assert destination._destination._client is None


def test_fork_does_not_open_store():
    destination = new_destination("sqlite:///mlflow.db")
    destination.after_fork()
    assert destination._destination._client is None


@pytest.mark.filterwarnings("default")  # MLflow's store warns of SQLAlchemy
def test_process_adds_its_spans_to_the_trace_of_another(monkeypatch, tmp_path, spans):
    """As MLflow 3.4 does, whose store has no spans but a file for each trace."""
    monkeypatch.setattr(metadata, "version", lambda _: "3.4.0")
    monkeypatch.chdir(tmp_path)  # for the files
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with spans.tracer.start_as_current_span("request"):
        spans.tracer.start_span("call").end()
    call, request = spans.take()
    for span in (request, call):
        destination = new_destination(uri, experiment_id=0)
        destination.send([span])
        destination.close()
    trace = MlflowClient(uri).get_trace(f"tr-{request.context.trace_id:032x}")
    assert sorted(span.name for span in trace.data.spans) == ["call", "request"]
