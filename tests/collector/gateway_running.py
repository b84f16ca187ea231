"""A gateway that runs for all tests of a module, and what it stands on."""

from __future__ import annotations

import shutil

import psycopg
import pytest

from examples.otlp_receiver import OtlpReceiver
from tests import databases
from tests.collector import kafka
from tests.collector.gateway import (
    Collectors,
    agent,
    backend_writer,
    mlflow_writer,
    servers,
    tiers,
)
from tests.exporter.tls import certificate  # noqa: F401  # a fixture
from tests.missing import missing


@pytest.fixture(scope="module")
def running(certificate):  # noqa: F811  # the fixture
    try:
        with servers(certificate=certificate) as servers_:
            yield servers_
    except (databases.MissingError, kafka.MissingError) as error:
        missing(error)


@pytest.fixture(scope="module")
def mlflow(running):
    from mlflow import MlflowClient

    return MlflowClient(running.mlflow[1])


@pytest.fixture(scope="module")
def experiment(mlflow):
    return mlflow.create_experiment("gateway")


@pytest.fixture(scope="module")
def backend():
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def collectors(otelcol):
    with Collectors(otelcol) as collectors:
        yield collectors


@pytest.fixture(scope="module")
def writers(collectors, running, experiment, backend):
    """Those of MLflow, each at a server of its own."""
    backend_writer(collectors, running.kafka, backend.endpoint)
    return [
        mlflow_writer(collectors, running.kafka, address, experiment)
        for address in running.mlflow
    ]


@pytest.fixture(scope="module")
def balancer(collectors, running, writers):
    """Of a gateway that decides after a second."""
    balancer, _ = tiers(
        collectors, running.kafka, SAMPLING_WAIT="1s", SAMPLING_PERCENT="20"
    )
    return balancer


@pytest.fixture(scope="module")
def quick(collectors, balancer):
    return agent(collectors, balancer)


@pytest.fixture(scope="module")
def count(running):
    """How many spans of these traces the database has."""

    def count(ids):
        with psycopg.connect(running.postgres.uri) as connection:
            (found,) = connection.execute(
                "SELECT count(*) FROM spans WHERE trace_id = ANY(%s)",
                ([f"tr-{one}" for one in ids],),
            ).fetchone()
        return found

    return count


@pytest.fixture(scope="module")
def stored(mlflow, experiment):
    """What MLflow has of these traces, or of all, by their ids."""

    def stored(ids=None):
        found = mlflow.search_traces(locations=[experiment], max_results=500)
        named = {trace.info.trace_id.removeprefix("tr-"): trace for trace in found}
        return {key: named[key] for key in named if ids is None or key in ids}

    return stored


@pytest.fixture(scope="module")
def secrets(certificate, tmp_path_factory):  # noqa: F811  # the fixture
    """What secure.yaml and secure-kafka.yaml read, and the other side of them."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("tls.crt", "tls.key"):
        shutil.copy(certificate, folder / name)
    (folder / "tokens").write_text("a-token-of-ours\n")
    authorization = "Bearer a-token-of-ours"
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
