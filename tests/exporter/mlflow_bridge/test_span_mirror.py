"""A span that MLflow made is the application's too, with the same ids."""

from __future__ import annotations

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, set_span_in_context

from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._mlflow_bridge import _trace_buffer
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge
from opentelemetry.exporter.mlflow.version import __version__

from .application import Application, agent_and_call


def test_a_span_of_mlflows_is_the_applications_too(application, of_mlflow):
    agent, _ = agent_and_call(application, of_mlflow)
    again = application.spans["invoke_agent agent"]
    assert again.context == agent.context
    assert again.parent is None
    assert again.resource.attributes == {"service.name": "app"}
    assert again.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "agent",
        "error.type": "LookupError",
        "user": "ada",
    }
    assert (again.start_time, again.end_time) == (agent.start_time, agent.end_time)
    assert (again.kind, again.status) == (SpanKind.INTERNAL, agent.status)
    assert [(event.name, event.timestamp) for event in again.events] == [
        ("exception", 7)
    ]
    assert application.spans["chat"].parent == again.context


def test_mlflow_gets_it_as_mlflow_made_it(application, of_mlflow, fake_server):
    agent_and_call(application, of_mlflow)
    (request,) = fake_server.requests
    assert sorted(request.span_names) == ["agent", "chat"]
    assert request.string_attributes("agent") == {
        "mlflow.spanType": "AGENT",
        "mlflow.spanInputs": '{"q": "Rain?"}',
        "mlflow.traceTag.mlflow.traceName": "agent",
        "user": "ada",
    }


def test_a_child_of_mlflows_has_its_parent(application, of_mlflow):
    agent = of_mlflow.start_span("agent")
    tool = of_mlflow.start_span("tool", set_span_in_context(agent))
    tool.end()
    agent.end()
    again = application.spans
    assert again["tool"].parent == agent.get_span_context()
    assert again["agent"].parent is None


@pytest.mark.parametrize(
    ("sampler", "kept"),
    [
        (sampling.ALWAYS_ON, True),
        (sampling.ALWAYS_OFF, False),
        (sampling.ParentBased(sampling.ALWAYS_OFF), True),
        (sampling.ParentBasedTraceIdRatio(0), True),
    ],
)
def test_a_root_is_kept_where_what_is_beneath_it_is(
    exporter, fake_server, sampler, kept
):
    application = Application(exporter, sampler)
    MlflowInstrumentor().instrument(tracer_provider=application.provider)
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    agent_and_call(application, provider.get_tracer("mlflow"))
    assert set(application.spans) == ({"invoke_agent agent", "chat"} if kept else set())
    assert len(fake_server.requests) == kept


def test_other_spans_of_the_application_are_as_they_were(application, of_mlflow):
    before = application.tracer.id_generator
    theirs = application.tracer.sampler
    agent_and_call(application, of_mlflow)
    assert application.tracer.id_generator is before
    ours = application.provider.get_tracer("opentelemetry.exporter.mlflow", __version__)
    assert ours.sampler.get_description() == theirs.get_description()
    again = application.spans["invoke_agent agent"]
    assert again.instrumentation_scope.name == "opentelemetry.exporter.mlflow"
    assert ours.start_span("a").get_span_context().span_id != again.context.span_id


def test_a_flush_of_the_provider_sends_what_waits(application, of_mlflow, fake_server):
    agent = of_mlflow.start_span("agent")
    application.tracer.start_span("chat", set_span_in_context(agent)).end()
    assert fake_server.requests == []
    assert application.provider.force_flush()
    assert [request.span_names for request in fake_server.requests] == [["chat"]]
    agent.end()


def test_what_waits_is_counted_with_its_content(
    monkeypatch, application, of_mlflow, fake_server
):
    monkeypatch.setattr(_trace_buffer, "_MAX_BYTES", 5_000)
    agent = of_mlflow.start_span("agent")
    content = {"mlflow.spanInputs": json.dumps("x" * 5_000)}
    of_mlflow.start_span("tool", set_span_in_context(agent), attributes=content).end()
    assert [request.span_names for request in fake_server.requests] == [["tool"]]
    agent.end()


@pytest.mark.internal_error
def test_what_goes_wrong_is_said_and_costs_that_span(
    application, of_mlflow, fake_server, caplog
):
    class Breaks(SimpleSpanProcessor):
        def on_start(self, span, parent_context=None):
            if "agent" in span.name:
                raise LookupError("processor")

    application.provider.add_span_processor(Breaks(InMemorySpanExporter()))
    agent_and_call(application, of_mlflow)
    assert [record.getMessage() for record in caplog.records] == [
        "Cannot mirror a span of @mlflow.trace to other backends"
    ]
    application.provider.force_flush()
    assert [request.span_names for request in fake_server.requests] == [["chat"]]
