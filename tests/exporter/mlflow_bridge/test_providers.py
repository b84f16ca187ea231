"""Which of MLflow's providers are joined, and which span is current with them."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

from .application import agent_and_call
from .programs import in_mlflow


def test_mlflows_provider_does_not_end_the_applications(application, of_mlflow):
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    provider.force_flush()
    provider.shutdown()
    agent_and_call(application, of_mlflow)
    assert len(application.spans) == 2


def test_a_provider_that_comes_again_is_joined_once(application):
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    ids = provider.id_generator
    bridge._attach_to_mlflow(provider)
    assert provider.id_generator is ids
    provider.get_tracer("mlflow").start_span("agent").end()
    (again,) = application.finished.get_finished_spans()
    assert again.name == "agent"


def test_a_provider_that_mlflow_shares_needs_nothing(application, fake_server):
    bridge._attach_to_mlflow(application.provider)
    application.tracer.start_span("agent").end()
    assert [request.span_names for request in fake_server.requests] == [["agent"]]


def test_without_a_provider_of_the_sdks_nothing_waits(exporter):
    MlflowInstrumentor().instrument(tracer_provider=trace.NoOpTracerProvider())
    provider = TracerProvider(shutdown_on_exit=False)
    bridge._attach_to_mlflow(provider)
    provider.get_tracer("mlflow").start_span("agent").end()


def test_each_provider_of_mlflows_is_joined(fake_server):
    assert in_mlflow(
        """
        MlflowInstrumentor().instrument()
        import mlflow

        def made():
            with mlflow.start_span("a"):
                pass
            names = [span.name for span in finished.get_finished_spans()]
            finished.clear()
            return names

        names = [made()]
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"] + "/")
        names += [made()]
        mlflow.tracing.disable()
        names += [made()]
        mlflow.tracing.enable()
        names += [made()]
        mlflow.tracing.reset()
        names += [made(), made()]
        print(json.dumps(names))
        os._exit(0)
        """,
        fake_server,
    ) == [["a"], ["a"], [], ["a"], ["a"], ["a"]]


def test_a_provider_that_mlflow_has_already_is_joined(fake_server):
    assert in_mlflow(
        """
        import mlflow
        with mlflow.start_span("before"):
            pass
        MlflowInstrumentor().instrument()
        with mlflow.start_span("after"):
            pass
        print(json.dumps([span.name for span in finished.get_finished_spans()]))
        os._exit(0)
        """,
        fake_server,
    ) == ["after"]


@pytest.mark.parametrize(
    "state", ["mlflow.tracing.disable()", "os.environ[RATIO] = '0'"]
)
def test_where_mlflow_makes_no_span_the_applications_stays_current(fake_server, state):
    assert in_mlflow(
        f"""
        RATIO = "MLFLOW_TRACE_SAMPLING_RATIO"
        MlflowInstrumentor().instrument()
        import mlflow
        {state}
        with trace.get_tracer("app").start_as_current_span("around") as around:
            with mlflow.start_span("a"):
                inside = trace.get_current_span() is around
            after = trace.get_current_span() is around
        outside = trace.get_current_span() is trace.INVALID_SPAN
        print(json.dumps([inside, after, outside]))
        os._exit(0)
        """,
        fake_server,
    ) == [True, True, True]


def test_where_mlflow_makes_a_span_it_is_current(fake_server):
    assert in_mlflow(
        """
        MlflowInstrumentor().instrument()
        import mlflow
        with trace.get_tracer("app").start_as_current_span("around") as around:
            with mlflow.start_span("a") as span:
                inside = trace.get_current_span().get_span_context().span_id
            after = trace.get_current_span() is around
        print(json.dumps([f"{inside:016x}" == span.span_id, after]))
        os._exit(0)
        """,
        fake_server,
    ) == [True, True]
