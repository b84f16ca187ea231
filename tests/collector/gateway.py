"""The gateway with all it stands on, as processes of this machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from examples.otelcol import Collector
from examples.quickstart.mlflow_server import MlflowServer
from tests.collector.kafka import Kafka
from tests.databases import PostgreSQL


class Servers(NamedTuple):
    kafka: Kafka
    postgres: PostgreSQL
    mlflow: list[str]  # addresses of servers on one database


@contextmanager
def servers(mlflow=2, partitions=12, certificate=None):
    with ExitStack() as held, ThreadPoolExecutor() as pool:
        kafka = pool.submit(held.enter_context, Kafka(partitions, certificate))
        postgres = held.enter_context(PostgreSQL())

        def server():
            return held.enter_context(MlflowServer(store=postgres.uri)).uri

        # The first one makes the tables.
        addresses = [server()]
        others = [pool.submit(server) for _ in range(mlflow - 1)]
        addresses += [one.result() for one in others]
        yield Servers(kafka.result(), postgres, addresses)


class Collectors:
    """Starts collectors, and stops them in the opposite order."""

    def __init__(self, program):
        self._program = program
        self._held = ExitStack()
        self._folder = Path(self._held.enter_context(TemporaryDirectory()))
        self._count = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._held.close()

    def start(self, *configurations, **variables):
        self._count += 1
        folder = self._folder / str(self._count)
        return self._held.enter_context(
            Collector(self._program, folder, *configurations, **variables)
        )


def tiers(collectors, kafka, **sampling):
    """Two samplers and the balancer before them."""
    samplers = [
        collectors.start(
            "gateway/sampler.yaml", KAFKA_BROKERS=kafka.brokers, **sampling
        )
        for _ in range(2)
    ]
    names = ",".join(f"127.0.0.1:{one.port('GRPC')}" for one in samplers)
    return collectors.start("gateway/balancer.yaml", SAMPLERS=f"[{names}]"), samplers


def agent(collectors, balancer, **variables):
    return collectors.start(
        *("agent.yaml", "without-content.yaml", "gateway/agent.yaml"),
        GATEWAY_OTLP_ENDPOINT=f"127.0.0.1:{balancer.port('GRPC')}",
        **variables,
    )


def mlflow_writer(collectors, kafka, mlflow, experiment, **variables):
    return collectors.start(
        "gateway/writer-mlflow.yaml",
        KAFKA_BROKERS=kafka.brokers,
        MLFLOW_TRACKING_URI=mlflow,
        MLFLOW_EXPERIMENT_ID=experiment,
        **variables,
    )


def backend_writer(collectors, kafka, endpoint):
    return collectors.start(
        *("gateway/writer-backend.yaml", "without-content.yaml"),
        KAFKA_BROKERS=kafka.brokers,
        BACKEND_OTLP_ENDPOINT=endpoint,
    )
