"""The real collector, between real spans and real servers."""

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

from examples.otelcol import HOW_TO_GET_IT, Collector, found
from examples.quickstart import _agent_run
from examples.quickstart.mlflow_server import MlflowServer
from examples.simulator import Simulator
from tests.e2e.conftest import ENVIRONMENT, receiver, simulator  # noqa: F401  # fixtures
from tests.missing import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Trace
    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

    from examples.otlp_receiver import OtlpReceiver


AGENT = ("agent.yaml", "without-content.yaml")
# Of the quickstart's agent.
SPANS = 5
SAID = ("Paris", "light rain", "leaves at dawn", "A haiku", "Weather of a city")


def eventually(holds: Callable[[], object], patience: float = 30) -> None:
    ends = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < ends, f"not within {patience:g} s"
        time.sleep(0.05)


@contextmanager
def tracing(collector: Collector, **resource: str) -> Iterator[Tracer]:
    """Spans that end inside have reached the collector after it."""
    provider = TracerProvider(resource=Resource(resource), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{collector.endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    yield provider.get_tracer("test")
    provider.shutdown()


def said(
    collector: Collector, *attributes: dict[str, AttributeValue], **resource: str
) -> None:
    """A trace of one span for each of these attributes."""
    with tracing(collector, **resource) as tracer:
        for each in attributes:
            tracer.start_span("chat", attributes=each).end()


@pytest.fixture(scope="session")
def otelcol() -> Path:
    program = found()
    if program is None:
        missing(HOW_TO_GET_IT)
    return program


@pytest.fixture
def collector(otelcol, tmp_path) -> Iterator[Callable[..., Collector]]:
    """Makes collectors of these configurations; keywords are their variables."""
    made: list[Collector] = []

    def make(*configurations: str, **variables: str) -> Collector:
        folder = tmp_path / f"otelcol{len(made)}"
        made.append(Collector(otelcol, folder, *configurations, **variables))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def mlflow_uri() -> Iterator[str]:
    with MlflowServer() as server:
        yield server.uri


@pytest.fixture(scope="session")
def mlflow(mlflow_uri) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(mlflow_uri)


@pytest.fixture
def experiment(mlflow, request) -> str:
    """The id of an experiment of the test's own."""
    return mlflow.create_experiment(f"{request.node.name} {time.time_ns()}")


@pytest.fixture
def traces(mlflow) -> Callable[..., list[Trace]]:
    """What MLflow has in an experiment once `until` holds of it, oldest first."""

    def of(
        experiment: str, until: Callable[[list[Trace]], bool], patience: float = 60
    ) -> list[Trace]:
        ends = time.monotonic() + patience
        while True:
            found = mlflow.search_traces(
                locations=[experiment], order_by=["timestamp_ms ASC"]
            )
            if until(found) or time.monotonic() > ends:
                return list(found)
            time.sleep(0.3)

    return of


@pytest.fixture
def arrived(traces, experiment) -> Callable[..., Trace]:
    """The quickstart's trace, once all of its spans are there."""

    def arrived(of: str = experiment) -> Trace:
        (trace,) = traces(of, lambda t: t and len(t[0].data.spans) == SPANS)
        return trace

    return arrived


@pytest.fixture
def agent() -> Callable[..., None]:
    """Runs the quickstart's agent against a collector; keywords are its variables."""

    def run(otlp: Collector | OtlpReceiver, **variables: str) -> None:
        # One of its own for each: it remembers prompts, as DeepSeek's cache does.
        with Simulator() as deepseek:
            subprocess.run(
                [_agent_run.instrument(), sys.executable, _agent_run.AGENT],
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
