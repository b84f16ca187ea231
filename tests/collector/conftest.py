"""Fixtures that run a real collector between real spans and real servers."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from examples.otelcol import INSTALL_HINT, Collector, find_collector
from examples.quickstart import _agent_run
from examples.quickstart.mlflow_server import MlflowServer
from examples.simulator import Simulator
from tests.e2e.conftest import ENVIRONMENT, receiver, simulator  # noqa: F401  # fixtures
from tests.skipping import skip_unless_ci

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Trace
    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

    from examples.otlp_receiver import OtlpReceiver


AGENT_CONFIG = ("agent.yaml", "without-content.yaml")
# The trace of the quickstart's agent: its number of spans, and texts from its content.
AGENT_SPAN_COUNT = 5
CONTENT_EXCERPTS = (
    "Paris",
    "light rain",
    "the warmer of the two",
    "How is the weather",
    "Weather of a city",
)


def wait_until(condition: Callable[[], object], timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout:g} s"
        time.sleep(0.05)


@contextmanager
def tracer_for(collector: Collector, **resource: str) -> Iterator[Tracer]:
    """Yields a tracer whose ended spans are in the collector when the context ends."""
    provider = TracerProvider(resource=Resource(resource), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{collector.endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    yield provider.get_tracer("test")
    provider.shutdown()


def send_spans(
    collector: Collector, *attributes: dict[str, AttributeValue], **resource: str
) -> None:
    """Sends a trace with a single span for each of `attributes`."""
    with tracer_for(collector, **resource) as tracer:
        for span_attributes in attributes:
            tracer.start_span("chat", attributes=span_attributes).end()


@pytest.fixture(scope="session")
def otelcol() -> Path:
    program = find_collector()
    if program is None:
        skip_unless_ci(INSTALL_HINT)
    return program


@pytest.fixture
def make_collector(otelcol, tmp_path) -> Iterator[Callable[..., Collector]]:
    """Creates collectors from configuration files and environment variables."""
    collectors: list[Collector] = []

    def make(*configurations: str, **variables: str) -> Collector:
        folder = tmp_path / f"otelcol{len(collectors)}"
        collectors.append(Collector(otelcol, folder, *configurations, **variables))
        return collectors[-1]

    yield make
    for collector in collectors:
        collector.stop()


@pytest.fixture(scope="session")
def mlflow_uri() -> Iterator[str]:
    with MlflowServer() as server:
        yield server.uri


@pytest.fixture(scope="session")
def mlflow_client(mlflow_uri) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(mlflow_uri)


@pytest.fixture
def experiment_id(mlflow_client, request) -> str:
    """The id of a new experiment for this test."""
    return mlflow_client.create_experiment(f"{request.node.name} {time.time_ns()}")


@pytest.fixture
def wait_for_traces(mlflow_client) -> Callable[..., list[Trace]]:
    """Returns the traces of an experiment, oldest first, once `condition` holds."""

    def wait(
        experiment_id: str,
        condition: Callable[[list[Trace]], bool],
        timeout: float = 60,
    ) -> list[Trace]:
        deadline = time.monotonic() + timeout
        while True:
            traces = mlflow_client.search_traces(
                locations=[experiment_id], order_by=["timestamp_ms ASC"]
            )
            if condition(traces) or time.monotonic() > deadline:
                return list(traces)
            time.sleep(0.3)

    return wait


@pytest.fixture
def wait_for_agent_trace(wait_for_traces, experiment_id) -> Callable[..., Trace]:
    """Returns the trace of the quickstart's agent once MLflow has all its spans."""

    def wait(experiment_id: str = experiment_id) -> Trace:
        (trace,) = wait_for_traces(
            experiment_id,
            lambda traces: traces and len(traces[0].data.spans) == AGENT_SPAN_COUNT,
        )
        return trace

    return wait


@pytest.fixture
def run_agent() -> Callable[..., None]:
    """Runs the quickstart's agent, which sends to a collector or a receiver."""

    def run(otlp: Collector | OtlpReceiver, **variables: str) -> None:
        # A simulator for each run, because it caches prompts as DeepSeek does.
        with Simulator() as deepseek:
            subprocess.run(
                [
                    _agent_run.opentelemetry_instrument(),
                    sys.executable,
                    _agent_run.AGENT,
                ],
                env=ENVIRONMENT
                | {
                    "DEEPSEEK_API_KEY": "sk-collector",
                    "DEEPSEEK_BASE_URL": deepseek.base_url,
                    "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.endpoint,
                    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                    "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                        deepseek.base_url
                    ).netloc,
                    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
                    "OTEL_LOGS_EXPORTER": "otlp",
                    "OTEL_METRICS_EXPORTER": "otlp",
                    "OTEL_SERVICE_NAME": "e2e",
                    "OTEL_TRACES_EXPORTER": "otlp",
                }
                | variables,
                check=True,
                timeout=60,
            )

    return run
