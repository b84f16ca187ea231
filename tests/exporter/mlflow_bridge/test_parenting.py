"""The parents and children of fluent spans."""

from __future__ import annotations

import textwrap

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import set_span_in_context

from opentelemetry import trace

from .mlflow_names import LOG_SPANS, require_name
from .mlflow_programs import run_mlflow_program
from .traced_application import start_mlflow_root


def test_a_mirrored_root_has_the_application_span_as_parent(application, mlflow_tracer):
    with application.tracer.start_as_current_span("POST /ask") as request:
        root = start_mlflow_root(mlflow_tracer)
        root.end()
    assert root.parent is None
    mirror = application.spans["agent"]
    assert mirror.parent == request.get_span_context()
    assert mirror.context == root.get_span_context()
    assert mirror.context.trace_id == request.get_span_context().trace_id
    assert mirror.links == ()


def test_a_trace_with_an_application_root_is_sent_in_one_request(
    application, mlflow_tracer, fake_server
):
    with application.tracer.start_as_current_span("POST /ask"):
        root = start_mlflow_root(mlflow_tracer)
        chat = application.tracer.start_span("chat", set_span_in_context(root))
        root.end()
        assert fake_server.requests == []
    assert fake_server.requests == []
    chat.end()
    assert [sorted(request.span_names) for request in fake_server.requests] == [
        ["POST /ask", "agent", "chat"]
    ]


def test_the_application_root_shows_name_inputs_and_outputs_of_the_first_fluent_root(
    application, mlflow_tracer, fake_server
):
    attributes = {
        "mlflow.spanType": '"AGENT"',
        "mlflow.spanInputs": '{"q": "Rain?"}',
        "mlflow.spanOutputs": '"No."',
    }
    start_span = application.tracer.start_as_current_span
    with start_span("POST /ask"), start_span("handler"):
        for name in ("agent", "next"):
            start_mlflow_root(mlflow_tracer, name, attributes=attributes).end()
            attributes = {"mlflow.spanInputs": '"And tomorrow?"'}
    (request,) = fake_server.requests
    assert request.string_attributes("POST /ask") == {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": '{"q": "Rain?"}',
        "mlflow.spanOutputs": "No.",
        "mlflow.traceTag.mlflow.traceName": "agent",
    }


def test_ended_spans_and_spans_of_other_providers_are_linked(
    application, mlflow_tracer, fake_server
):
    other_provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    ended_span = application.tracer.start_span("ended")
    ended_span.end()
    other_span = other_provider.get_tracer("other").start_span("other")
    for current_span in (ended_span, other_span):
        with trace.use_span(current_span):
            start_mlflow_root(mlflow_tracer).end()
        *_, mirror = application.memory_exporter.get_finished_spans()
        assert mirror.parent is None
        assert [link.context for link in mirror.links] == [
            current_span.get_span_context()
        ]
    assert len(fake_server.requests) == 3


@pytest.mark.parametrize(
    ("exporter", "has_parent"),
    [
        ("MlflowSpanExporter()", True),
        ("MlflowSpanExporter(endpoint='http://localhost:9')", True),
        ("MlflowSpanExporter(tracking_uri='http://localhost:9')", False),
    ],
)
def test_spans_that_mlflow_sends_to_the_same_server_have_the_parent(
    fake_server, exporter, has_parent
):
    require_name(*LOG_SPANS)
    parent_ids, root_id, request_id = run_mlflow_program(
        f"""
        exporter = {exporter}
        os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
        os.environ["MLFLOW_USE_BATCH_SPAN_PROCESSOR"] = "false"
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.client import TracingClient

        logged_spans = []
        store = type(TracingClient().store)
        store.log_spans = lambda _, spans, **__: logged_spans.extend(spans)
        with trace.get_tracer("app").start_as_current_span("request") as request:
            with mlflow.start_span("root") as root:
                with mlflow.start_span("child"):
                    pass
        parent_ids = [[span.name, span.parent_id] for span in logged_spans]
        request_id = f"{{request.get_span_context().span_id:016x}}"
        print(json.dumps([parent_ids, root.span_id, request_id]))
        os._exit(0)
        """,
        fake_server,
    )
    assert parent_ids == [
        ["child", root_id],
        ["root", request_id if has_parent else None],
    ]


def get_parent_names(program, fake_server, setting="true"):
    """The name of each application span's parent, by the name of the span."""
    program = f"""
        os.environ["MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT"] = "{setting}"
        MlflowInstrumentor().instrument()
        import threading
        import mlflow
        from opentelemetry import context

        tracer = trace.get_tracer("app")
        start_span = tracer.start_as_current_span
        {textwrap.indent(textwrap.dedent(program), " " * 8).strip()}
        spans = memory_exporter.get_finished_spans()
        names = {{span.context.span_id: span.name for span in spans}}
        print(json.dumps({{
            span.name: span.parent and names[span.parent.span_id] for span in spans
        }}))
        os._exit(0)
        """
    return run_mlflow_program(program, fake_server)


def test_an_application_span_between_fluent_spans_is_their_parent_and_child(
    fake_server,
):
    assert get_parent_names(
        """
        with mlflow.start_span("agent"), start_span("step"):
            with mlflow.start_span("tool"):
                pass
        """,
        fake_server,
    ) == {"tool": "step", "step": "agent", "agent": None}


def test_fluent_spans_are_nested_without_context_propagation(fake_server):
    assert get_parent_names(
        """
        with start_span("request"), mlflow.start_span("agent"):
            with mlflow.start_span("tool"):
                pass
        """,
        fake_server,
        setting="false",
    ) == {"tool": "agent", "agent": "request", "request": None}


def test_a_fluent_span_in_a_thread_has_the_parent_of_the_otel_context(
    fake_server,
):
    assert get_parent_names(
        """
        def run_tool(current_context):
            context.attach(current_context)
            with mlflow.start_span("tool"):
                pass

        with start_span("request"), mlflow.start_span("agent"):
            args = (context.get_current(),)
            thread = threading.Thread(target=run_tool, args=args)
            thread.start()
            thread.join()
        """,
        fake_server,
    ) == {"tool": "agent", "agent": "request", "request": None}


def test_an_evaluation_row_has_a_separate_trace(fake_server):
    assert get_parent_names(
        """
        from mlflow.pyfunc.context import Context, set_prediction_context

        with start_span("request"):
            with set_prediction_context(Context("row 1", is_evaluate=True)):
                with mlflow.start_span("agent"):
                    pass
        """,
        fake_server,
    ) == {"agent": None, "request": None}
