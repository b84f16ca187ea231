"""Which providers the bridge is attached to, and which span is current."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

from .mlflow_names import SAMPLING_RATIO, require_name
from .mlflow_programs import run_mlflow_program
from .traced_application import run_agent_with_call


def test_shutdown_of_the_mlflow_provider_does_not_shut_down_the_application_provider(
    application, mlflow_tracer
):
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    provider.force_flush()
    provider.shutdown()
    run_agent_with_call(application, mlflow_tracer)
    assert len(application.spans) == 2


def test_a_provider_is_attached_once(application):
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    id_generator = provider.id_generator
    bridge._attach_to_mlflow(provider)
    assert provider.id_generator is id_generator
    provider.get_tracer("mlflow").start_span("agent").end()
    (mirror,) = application.memory_exporter.get_finished_spans()
    assert mirror.name == "agent"


def test_a_shared_provider_is_not_attached(application, fake_server):
    bridge._attach_to_mlflow(application.provider)
    application.tracer.start_span("agent").end()
    assert [request.span_names for request in fake_server.requests] == [["agent"]]


@pytest.mark.parametrize(
    ("application_provider", "warning_count"),
    [
        (trace.NoOpTracerProvider(), 1),
        (trace.ProxyTracerProvider(), 1),
        (TracerProvider(shutdown_on_exit=False), 0),
    ],
)
def test_missing_sdk_provider_is_logged_once(
    exporter, caplog, monkeypatch, application_provider, warning_count
):
    monkeypatch.setattr(bridge, "_has_warned_of_provider", False)
    MlflowInstrumentor().instrument(tracer_provider=application_provider)
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    for _ in range(2):
        provider.get_tracer("mlflow").start_span("agent").end()
    assert len(caplog.messages) == warning_count
    assert all("instrument(tracer_provider=" in line for line in caplog.messages)


def test_each_mlflow_provider_is_attached(fake_server):
    assert run_mlflow_program(
        """
        MlflowInstrumentor().instrument()
        import mlflow

        def start_span_and_take_names():
            with mlflow.start_span("a"):
                pass
            names = [span.name for span in memory_exporter.get_finished_spans()]
            memory_exporter.clear()
            return names

        names = [start_span_and_take_names()]
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"] + "/")
        names += [start_span_and_take_names()]
        mlflow.tracing.disable()
        names += [start_span_and_take_names()]
        mlflow.tracing.enable()
        names += [start_span_and_take_names()]
        mlflow.tracing.reset()
        names += [start_span_and_take_names(), start_span_and_take_names()]
        print(json.dumps(names))
        os._exit(0)
        """,
        fake_server,
    ) == [["a"], ["a"], [], ["a"], ["a"], ["a"]]


def test_an_existing_mlflow_provider_is_attached(fake_server):
    assert run_mlflow_program(
        """
        import mlflow
        with mlflow.start_span("before"):
            pass
        MlflowInstrumentor().instrument()
        with mlflow.start_span("after"):
            pass
        spans = memory_exporter.get_finished_spans()
        print(json.dumps([span.name for span in spans]))
        os._exit(0)
        """,
        fake_server,
    ) == ["after"]


@pytest.mark.parametrize(
    "statement", ["mlflow.tracing.disable()", "os.environ[RATIO] = '0'"]
)
def test_an_application_span_stays_current_if_mlflow_makes_no_span(
    fake_server, statement
):
    if "RATIO" in statement:
        require_name(*SAMPLING_RATIO)
    assert run_mlflow_program(
        f"""
        RATIO = "MLFLOW_TRACE_SAMPLING_RATIO"
        MlflowInstrumentor().instrument()
        import mlflow
        {statement}
        with trace.get_tracer("app").start_as_current_span("request") as request:
            with mlflow.start_span("a"):
                is_current_inside = trace.get_current_span() is request
            is_current_after = trace.get_current_span() is request
        is_none_current = trace.get_current_span() is trace.INVALID_SPAN
        print(json.dumps([is_current_inside, is_current_after, is_none_current]))
        os._exit(0)
        """,
        fake_server,
    ) == [True, True, True]


def test_a_fluent_span_becomes_current(fake_server):
    assert run_mlflow_program(
        """
        MlflowInstrumentor().instrument()
        import mlflow
        with trace.get_tracer("app").start_as_current_span("request") as request:
            with mlflow.start_span("a") as span:
                span_id = trace.get_current_span().get_span_context().span_id
            is_request_current = trace.get_current_span() is request
        print(json.dumps([f"{span_id:016x}" == span.span_id, is_request_current]))
        os._exit(0)
        """,
        fake_server,
    ) == [True, True]
