"""An application with its own tracer provider, and fluent spans in it."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode, set_span_in_context

from opentelemetry import trace


class Application:
    def __init__(self, exporter, sampler=None):
        self.provider = TracerProvider(
            sampler,
            Resource({"service.name": "app"}),
            shutdown_on_exit=False,
        )
        self.memory_exporter = InMemorySpanExporter()
        for span_exporter in (self.memory_exporter, exporter):
            self.provider.add_span_processor(SimpleSpanProcessor(span_exporter))
        self.tracer = self.provider.get_tracer("app")

    @property
    def spans(self):
        return {span.name: span for span in self.memory_exporter.get_finished_spans()}


def run_agent_with_call(application, mlflow_tracer):
    agent = mlflow_tracer.start_span(
        "agent",
        attributes={
            "mlflow.spanType": '"AGENT"',
            "mlflow.spanInputs": '{"q": "Rain?"}',
            "user": '"ada"',
        },
    )
    call = application.tracer.start_span("chat", set_span_in_context(agent))
    call.end()
    agent.add_event("exception", {"exception.type": "LookupError"}, 7)
    agent.set_status(Status(StatusCode.ERROR, "no"))
    agent.end()
    return agent, call


def start_mlflow_root(mlflow_tracer, name="agent", **kwargs):
    """Start a root span as MLflow does: in an empty context."""
    return mlflow_tracer.start_span(
        name, set_span_in_context(trace.INVALID_SPAN), **kwargs
    )
