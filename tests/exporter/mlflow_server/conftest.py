from __future__ import annotations

import uuid

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE

# MLflow causes this warning when it opens a store in this process.
IGNORE_STORE_WARNING = pytest.mark.filterwarnings(
    "ignore:The ..noload.. loader:DeprecationWarning"
)


@pytest.fixture(scope="session")
def database_path(tmp_path_factory):
    # MLflow takes seconds to create a database.
    return tmp_path_factory.mktemp("store") / "mlflow.db"


@pytest.fixture
def store_uri(monkeypatch, database_path) -> str:
    # Use the prices in MLflow's package, like the server of these tests.
    monkeypatch.setenv("MLFLOW_MODEL_CATALOG_URI", "")
    monkeypatch.chdir(database_path.parent)
    return f"sqlite:///{database_path}"


class Mlflow:
    """An experiment for one test, with an exporter to it and MLflow's client."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self.uri = uri
        self.experiment_name = f"test {uuid.uuid4()}"
        self.client = MlflowClient(uri)

    def make_exporter(self, **arguments):
        defaults = {"experiment_name": self.experiment_name}
        return MlflowSpanExporter(tracking_uri=self.uri, **defaults | arguments)

    def export(self, *batches, result=SUCCESS, **arguments):
        exporter = self.make_exporter(**arguments)
        for batch in batches:
            assert exporter.export(batch) is result
        exporter.shutdown()

    def read_trace(self, span):
        return self.client.get_trace(f"tr-{span.context.trace_id:032x}")

    @property
    def experiment_id(self):
        return self.client.get_experiment_by_name(self.experiment_name).experiment_id

    def search_names(self, filter_string):
        """The names of the traces in the experiment that match, sorted."""
        traces = self.client.search_traces(
            locations=[self.experiment_id], filter_string=filter_string
        )
        return sorted(trace.info.tags["mlflow.traceName"] for trace in traces)


@pytest.fixture
def server(mlflow_server) -> Mlflow:
    return Mlflow(mlflow_server)


@pytest.fixture(params=["server", "store"])
def mlflow(request) -> Mlflow:
    if request.param == "server":
        return Mlflow(request.getfixturevalue("mlflow_server"))
    return Mlflow(request.getfixturevalue("store_uri"))
