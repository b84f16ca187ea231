"""Starts the gateway and the servers that it needs as processes on this machine."""

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
    mlflow_uris: list[str]  # servers that share one database


@contextmanager
def start_servers(mlflow_count=2, partitions=12, certificate=None):
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        kafka = pool.submit(stack.enter_context, Kafka(partitions, certificate))
        postgres = stack.enter_context(PostgreSQL())

        def start_mlflow():
            return stack.enter_context(MlflowServer(store=postgres.uri)).uri

        # The first server creates the tables.
        uris = [start_mlflow()]
        others = [pool.submit(start_mlflow) for _ in range(mlflow_count - 1)]
        uris += [other.result() for other in others]
        yield Servers(kafka.result(), postgres, uris)


class CollectorStack:
    """Starts collectors, and stops them in reverse order when the context ends."""

    def __init__(self, program):
        self._program = program
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(TemporaryDirectory()))
        self._count = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def start(self, *configurations, **variables):
        self._count += 1
        folder = self._folder / str(self._count)
        return self._stack.enter_context(
            Collector(self._program, folder, *configurations, **variables)
        )


def start_balancer_and_samplers(collectors, kafka, **sampling):
    """Starts two samplers and a balancer that sends to them."""
    samplers = [
        collectors.start(
            "gateway/sampler.yaml", KAFKA_BROKERS=kafka.brokers, **sampling
        )
        for _ in range(2)
    ]
    addresses = ",".join(f"127.0.0.1:{sampler.port('GRPC')}" for sampler in samplers)
    balancer = collectors.start("gateway/balancer.yaml", SAMPLERS=f"[{addresses}]")
    return balancer, samplers


def start_agent(collectors, balancer, **variables):
    return collectors.start(
        *("agent.yaml", "without-content.yaml", "gateway/agent.yaml"),
        GATEWAY_OTLP_ENDPOINT=f"127.0.0.1:{balancer.port('GRPC')}",
        **variables,
    )


def start_mlflow_writer(collectors, kafka, mlflow_uri, experiment_id, **variables):
    return collectors.start(
        "gateway/writer-mlflow.yaml",
        KAFKA_BROKERS=kafka.brokers,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
        **variables,
    )


def start_backend_writer(collectors, kafka, endpoint):
    return collectors.start(
        *("gateway/writer-backend.yaml", "without-content.yaml"),
        KAFKA_BROKERS=kafka.brokers,
        BACKEND_OTLP_ENDPOINT=endpoint,
    )
