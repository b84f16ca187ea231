from __future__ import annotations

import sys
from types import SimpleNamespace

import mlflow  # noqa: F401  # the tests are about programs that have imported it
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._fluent_api._span_settings import span_settings
from opentelemetry.exporter.mlflow._fluent_api._trace_contexts import trace_contexts
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge
from tests.exporter.conftest import Response


def _respond(request):
    if request.path == "/v1/traces":
        return Response()
    # MLflow returns the TraceInfo that it has stored.
    return Response(200, request.body, {"Content-Type": "application/json"})


class Application:
    """An application whose spans go to MLflow, and unchanged to another exporter."""

    def __init__(self, fake_server) -> None:
        self.fake_server = fake_server
        fake_server.respond = _respond
        self.exporter = MlflowSpanExporter(
            tracking_uri=fake_server.uri, experiment_id=1
        )
        self.memory = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        for exporter in (self.exporter, self.memory):
            self.provider.add_span_processor(SimpleSpanProcessor(exporter))
        self.tracer = self.provider.get_tracer("app")

    def call(self, name="chat", context=None, **attributes):
        attributes = {"gen_ai.operation.name": "chat"} | attributes
        span = self.tracer.start_span(name, context, attributes=attributes)
        span.end()
        return span

    @property
    def requests(self):
        """The requests with spans: the experiment, the run and the names."""
        return [
            (
                request.headers["x-mlflow-experiment-id"],
                request.headers.get("x-mlflow-run-id"),
                request.span_names,
            )
            for request in self.fake_server.requests
            if request.path == "/v1/traces"
        ]

    @property
    def sent(self):
        return [name for _, _, names in self.requests for name in names]

    @property
    def other_names(self):
        return [span.name for span in self.memory.get_finished_spans()]


@pytest.fixture
def application(fake_server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fake_server.uri)
    application = Application(fake_server)
    yield application
    application.exporter.shutdown()
    # The bridge is active as long as there is an exporter.
    bridge._exporters.clear()
    trace_contexts._traces.clear()
    span_settings._spans.clear()


@pytest.fixture
def set_run(monkeypatch):
    """A function that sets the active run, without a server."""
    fluent = sys.modules["mlflow.tracking.fluent"]

    def set_run(run_id, experiment_id="1"):
        info = SimpleNamespace(run_id=run_id, experiment_id=experiment_id, start_time=1)
        run = SimpleNamespace(info=info) if run_id else None
        monkeypatch.setattr(fluent, "active_run", lambda: run)

    return set_run


@pytest.fixture
def configure():
    """`mlflow.tracing.configure`, undone after the test."""
    config = sys.modules["mlflow.tracing.config"]
    yield lambda *functions: config.configure(span_processors=list(functions))
    config.reset_config()
