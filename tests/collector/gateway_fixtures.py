"""Fixtures that run the gateway and its servers once for all tests of a module."""

from __future__ import annotations

import shutil

import psycopg
import pytest

from examples.otlp_receiver import OtlpReceiver
from tests import databases
from tests.collector import kafka
from tests.collector.gateway import (
    CollectorStack,
    start_agent,
    start_backend_writer,
    start_balancer_and_samplers,
    start_mlflow_writer,
    start_servers,
)
from tests.exporter.tls import certificate  # noqa: F401  # a fixture
from tests.skipping import skip_unless_ci


@pytest.fixture(scope="module")
def servers(certificate):  # noqa: F811  # the fixture
    try:
        with start_servers(certificate=certificate) as servers:
            yield servers
    except (databases.NotInstalledError, kafka.NotInstalledError) as error:
        skip_unless_ci(error)


@pytest.fixture(scope="module")
def mlflow_client(servers):
    from mlflow import MlflowClient

    return MlflowClient(servers.mlflow_uris[1])


@pytest.fixture(scope="module")
def experiment_id(mlflow_client):
    return mlflow_client.create_experiment("gateway")


@pytest.fixture(scope="module")
def backend():
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def collectors(otelcol):
    with CollectorStack(otelcol) as collectors:
        yield collectors


@pytest.fixture(scope="module")
def mlflow_writers(collectors, servers, experiment_id, backend):
    """One writer per MLflow server. A backend writer runs too."""
    start_backend_writer(collectors, servers.kafka, backend.endpoint)
    return [
        start_mlflow_writer(collectors, servers.kafka, uri, experiment_id)
        for uri in servers.mlflow_uris
    ]


@pytest.fixture(scope="module")
def balancer(collectors, servers, mlflow_writers):
    """The balancer of a gateway that decides after one second."""
    balancer, _ = start_balancer_and_samplers(
        collectors, servers.kafka, SAMPLING_WAIT="1s", SAMPLING_PERCENT="20"
    )
    return balancer


@pytest.fixture(scope="module")
def agent(collectors, balancer):
    return start_agent(collectors, balancer)


@pytest.fixture(scope="module")
def count_spans(servers):
    """Returns the number of spans that the database has of these traces."""

    def count(trace_ids):
        with psycopg.connect(servers.postgres.uri) as connection:
            (span_count,) = connection.execute(
                "SELECT count(*) FROM spans WHERE trace_id = ANY(%s)",
                ([f"tr-{trace_id}" for trace_id in trace_ids],),
            ).fetchone()
        return span_count

    return count


@pytest.fixture(scope="module")
def stored_traces(mlflow_client, experiment_id):
    """Returns MLflow's traces by trace id: those of `trace_ids`, or all."""

    def stored(trace_ids=None):
        traces = mlflow_client.search_traces(locations=[experiment_id], max_results=500)
        by_id = {trace.info.trace_id.removeprefix("tr-"): trace for trace in traces}
        return {
            trace_id: trace
            for trace_id, trace in by_id.items()
            if trace_ids is None or trace_id in trace_ids
        }

    return stored


@pytest.fixture(scope="module")
def tls_settings(certificate, tmp_path_factory):  # noqa: F811  # the fixture
    """Environment variables for secure.yaml, secure-kafka.yaml and their clients."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("tls.crt", "tls.key"):
        shutil.copy(certificate, folder / name)
    (folder / "tokens").write_text("a-valid-token\n")
    authorization = "Bearer a-valid-token"
    return {
        "OTELCOL_TLS": str(folder),
        "OTELCOL_TOKENS": str(folder / "tokens"),
        "SAMPLER_INSECURE": "false",
        "SAMPLER_CA": certificate,
        "SAMPLER_AUTHORIZATION": authorization,
        "GATEWAY_INSECURE": "false",
        "GATEWAY_CA": certificate,
        "GATEWAY_AUTHORIZATION": authorization,
        "KAFKA_CA": certificate,
        "KAFKA_USERNAME": kafka.USERNAME,
        "KAFKA_PASSWORD": kafka.PASSWORD,
    }
