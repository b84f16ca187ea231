"""The cost that MLflow shows of calls to a gateway, however its host is configured."""

from __future__ import annotations

from urllib.parse import urlsplit

import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from tests.exporter.mlflow_server.conftest import IGNORE_STORE_WARNING

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]

HOSTS = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"


@pytest.fixture
def run_call(mlflow, monkeypatch):
    """Makes a call and returns its trace in MLflow."""

    def run(configure):
        provider, memory = (
            TracerProvider(shutdown_on_exit=False),
            InMemorySpanExporter(),
        )
        exporter = mlflow.make_exporter()
        for span_exporter in (exporter, memory):
            provider.add_span_processor(SimpleSpanProcessor(span_exporter))
        with Simulator() as simulator:
            hosts = configure(monkeypatch, urlsplit(simulator.base_url).netloc)
            DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=hosts)
            try:
                with openai.OpenAI(base_url=simulator.base_url, api_key="k") as client:
                    client.chat.completions.create(
                        model="deepseek-v4-pro",
                        messages=[{"role": "user", "content": "Hi"}],
                    )
            finally:
                DeepSeekInstrumentor().uninstrument()
        exporter.shutdown()
        return mlflow.read_trace(memory.get_finished_spans()[0])

    return run


def by_variable(monkeypatch, host):
    monkeypatch.setenv(HOSTS, host)


def by_argument(_, host):
    return [host]


def by_argument_after_another_variable(monkeypatch, host):
    monkeypatch.setenv(HOSTS, "other.example.com")
    return [host]


@pytest.mark.parametrize(
    "configure", [by_variable, by_argument, by_argument_after_another_variable]
)
def test_call_to_a_named_host_has_a_cost(run_call, configure):
    trace = run_call(configure)
    (span,) = trace.data.spans
    assert span.attributes["deepseek.server.type"] == "gateway"
    assert trace.info.cost["total_cost"] == span.llm_cost["total_cost"] > 0
    assert span.model_name == "deepseek-v4-pro"


def every_host_by_variable(monkeypatch, _):
    monkeypatch.setenv(HOSTS, "*")


def every_host_by_argument(*_):
    return ["*"]


@pytest.mark.parametrize("configure", [every_host_by_variable, every_host_by_argument])
def test_call_to_an_unknown_host_has_no_cost(run_call, configure):
    trace = run_call(configure)
    (span,) = trace.data.spans
    assert span.attributes["deepseek.server.type"] == "unknown"
    assert (trace.info.cost, span.llm_cost) == (None, None)
    assert trace.info.token_usage["total_tokens"] > 0
    assert span.model_name == "deepseek-v4-pro (no price)"
