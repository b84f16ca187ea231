"""Mirrors: application spans with the ids and the data of fluent spans."""

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

from .traced_application import Application, run_agent_with_call


def test_a_fluent_span_is_mirrored_with_the_same_ids(application, mlflow_tracer):
    agent, _ = run_agent_with_call(application, mlflow_tracer)
    mirror = application.spans["invoke_agent agent"]
    assert mirror.context == agent.context
    assert mirror.parent is None
    assert mirror.resource.attributes == {"service.name": "app"}
    assert mirror.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "agent",
        "error.type": "LookupError",
        "user": "ada",
    }
    assert (mirror.start_time, mirror.end_time) == (agent.start_time, agent.end_time)
    assert (mirror.kind, mirror.status) == (SpanKind.INTERNAL, agent.status)
    assert [(event.name, event.timestamp) for event in mirror.events] == [
        ("exception", 7)
    ]
    assert application.spans["chat"].parent == mirror.context


def test_mlflow_gets_the_fluent_span_instead_of_the_mirror(
    application, mlflow_tracer, fake_server
):
    run_agent_with_call(application, mlflow_tracer)
    (request,) = fake_server.requests
    assert sorted(request.span_names) == ["agent", "chat"]
    assert request.string_attributes("agent") == {
        "mlflow.spanType": "AGENT",
        "mlflow.spanInputs": '{"q": "Rain?"}',
        "mlflow.traceTag.mlflow.traceName": "agent",
        "user": "ada",
    }


def test_a_mirror_has_the_parent_of_the_fluent_span(application, mlflow_tracer):
    agent = mlflow_tracer.start_span("agent")
    tool = mlflow_tracer.start_span("tool", set_span_in_context(agent))
    tool.end()
    agent.end()
    mirrors = application.spans
    assert mirrors["tool"].parent == agent.get_span_context()
    assert mirrors["agent"].parent is None


@pytest.mark.parametrize(
    ("sampler", "is_sampled"),
    [
        (sampling.ALWAYS_ON, True),
        (sampling.ALWAYS_OFF, False),
        (sampling.ParentBased(sampling.ALWAYS_OFF), True),
        (sampling.ParentBasedTraceIdRatio(0), True),
    ],
)
def test_a_mirror_is_sampled_like_a_child_span(
    exporter, fake_server, sampler, is_sampled
):
    application = Application(exporter, sampler)
    MlflowInstrumentor().instrument(tracer_provider=application.provider)
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    run_agent_with_call(application, provider.get_tracer("mlflow"))
    expected_names = {"invoke_agent agent", "chat"} if is_sampled else set()
    assert set(application.spans) == expected_names
    assert len(fake_server.requests) == is_sampled


def test_other_tracers_keep_their_id_generator_and_sampler(application, mlflow_tracer):
    id_generator = application.tracer.id_generator
    sampler = application.tracer.sampler
    run_agent_with_call(application, mlflow_tracer)
    assert application.tracer.id_generator is id_generator
    mirror_tracer = application.provider.get_tracer(
        "opentelemetry.exporter.mlflow", __version__
    )
    assert mirror_tracer.sampler.get_description() == sampler.get_description()
    mirror = application.spans["invoke_agent agent"]
    assert mirror.instrumentation_scope.name == "opentelemetry.exporter.mlflow"
    span = mirror_tracer.start_span("a")
    assert span.get_span_context().span_id != mirror.context.span_id


def test_force_flush_of_the_provider_sends_buffered_spans(
    application, mlflow_tracer, fake_server
):
    agent = mlflow_tracer.start_span("agent")
    application.tracer.start_span("chat", set_span_in_context(agent)).end()
    assert fake_server.requests == []
    assert application.provider.force_flush()
    assert [request.span_names for request in fake_server.requests] == [["chat"]]
    agent.end()


def test_the_buffer_counts_the_content_of_fluent_spans(
    monkeypatch, application, mlflow_tracer, fake_server
):
    monkeypatch.setattr(_trace_buffer, "_MAX_BYTES", 5_000)
    agent = mlflow_tracer.start_span("agent")
    content = {"mlflow.spanInputs": json.dumps("x" * 5_000)}
    mlflow_tracer.start_span(
        "tool", set_span_in_context(agent), attributes=content
    ).end()
    assert [request.span_names for request in fake_server.requests] == [["tool"]]
    agent.end()


@pytest.mark.internal_error
def test_a_mirroring_error_is_logged_and_drops_only_that_span(
    application, mlflow_tracer, fake_server, caplog
):
    class FailingProcessor(SimpleSpanProcessor):
        def on_start(self, span, parent_context=None):
            if "agent" in span.name:
                raise LookupError("processor")

    application.provider.add_span_processor(FailingProcessor(InMemorySpanExporter()))
    run_agent_with_call(application, mlflow_tracer)
    assert [record.getMessage() for record in caplog.records] == [
        "Cannot mirror a span of @mlflow.trace to other backends"
    ]
    application.provider.force_flush()
    assert [request.span_names for request in fake_server.requests] == [["chat"]]
