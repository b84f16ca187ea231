from __future__ import annotations

import uuid

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE

# MLflow's own, while it opens a store in this process.
OPENS_A_STORE = pytest.mark.filterwarnings(
    "ignore:The ..noload.. loader:DeprecationWarning"
)


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    # MLflow takes seconds to create one.
    return tmp_path_factory.mktemp("store") / "mlflow.db"


@pytest.fixture
def store(monkeypatch, database) -> str:
    # The prices in the package, as the server of these tests has them.
    monkeypatch.setenv("MLFLOW_MODEL_CATALOG_URI", "")
    monkeypatch.chdir(database.parent)
    return f"sqlite:///{database}"


class Mlflow:
    """MLflow with an experiment for one test, written by us and read by its client."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self.uri = uri
        self.experiment = f"test {uuid.uuid4()}"
        self.client = MlflowClient(uri)

    def exporter(self, **more):
        given = {"experiment_name": self.experiment} | more
        return MlflowSpanExporter(tracking_uri=self.uri, **given)

    def export(self, *batches, result=SUCCESS, **more):
        exporter = self.exporter(**more)
        for batch in batches:
            assert exporter.export(batch) is result
        exporter.shutdown()

    def trace(self, span):
        return self.client.get_trace(f"tr-{span.context.trace_id:032x}")

    @property
    def experiment_id(self):
        return self.client.get_experiment_by_name(self.experiment).experiment_id

    def found(self, condition):
        """The names of the traces that a search in the experiment finds."""
        traces = self.client.search_traces(
            locations=[self.experiment_id], filter_string=condition
        )
        return sorted(trace.info.tags["mlflow.traceName"] for trace in traces)


@pytest.fixture
def server(mlflow_server) -> Mlflow:
    return Mlflow(mlflow_server)


@pytest.fixture(params=["server", "store"])
def mlflow(request) -> Mlflow:
    if request.param == "server":
        return Mlflow(request.getfixturevalue("mlflow_server"))
    return Mlflow(request.getfixturevalue("store"))
