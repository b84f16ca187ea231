"""MLflow's spans on the application's provider, and what of MLflow that takes."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import time
import types

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from opentelemetry import trace
from opentelemetry.exporter.mlflow import (
    MlflowInstrumentor,
    MlflowSpanExporter,
)
from opentelemetry.exporter.mlflow._one_tree import _last_words, _whole_traces
from opentelemetry.exporter.mlflow._one_tree._tree import one_tree
from opentelemetry.exporter.mlflow.version import __version__

PROPAGATE = "MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT"
OTLP = "MLFLOW_ENABLE_OTLP_EXPORTER"


@pytest.fixture(autouse=True)
def apart():
    """Instrumentors are one for the process."""
    yield
    if MlflowInstrumentor().is_instrumented_by_opentelemetry:
        MlflowInstrumentor().uninstrument()
    one_tree._served.clear()
    one_tree._stays_apart = False


@pytest.fixture
def exporter(wire):
    made = MlflowSpanExporter(tracking_uri=wire.uri)
    yield made
    made.shutdown()


class Application:
    def __init__(self, exporter, sampler=None):
        self.provider = TracerProvider(
            sampler,
            Resource({"service.name": "app"}),
            shutdown_on_exit=False,
        )
        self.finished = InMemorySpanExporter()
        for one in (self.finished, exporter):
            self.provider.add_span_processor(SimpleSpanProcessor(one))
        self.tracer = self.provider.get_tracer("app")

    @property
    def spans(self):
        return {span.name: span for span in self.finished.get_finished_spans()}


@pytest.fixture
def application(exporter):
    made = Application(exporter)
    MlflowInstrumentor().instrument(tracer_provider=made.provider)
    return made


@pytest.fixture
def of_mlflow(application):
    """A tracer as MLflow has it, on a provider of its own."""
    provider = TracerProvider(
        resource=Resource({"service.name": "mlflow"}), shutdown_on_exit=False
    )
    one_tree._join(provider)
    return provider.get_tracer("mlflow")


def agent_and_call(application, of_mlflow):
    agent = of_mlflow.start_span(
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


def test_mlflow_gets_it_as_mlflow_made_it(application, of_mlflow, wire):
    agent_and_call(application, of_mlflow)
    (request,) = wire.requests
    assert sorted(request.span_names) == ["agent", "chat"]
    assert request.texts_of("agent") == {
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


def root_of_mlflow(of_mlflow, name="agent", **kwargs):
    """As MLflow starts one: it has a context of its own, which is empty."""
    return of_mlflow.start_span(name, set_span_in_context(trace.INVALID_SPAN), **kwargs)


def test_a_root_of_mlflows_has_the_span_around_it_as_its_parent(application, of_mlflow):
    with application.tracer.start_as_current_span("POST /ask") as request:
        root = root_of_mlflow(of_mlflow)
        root.end()
    assert root.parent is None
    again = application.spans["agent"]
    assert again.parent == request.get_span_context()
    assert again.context == root.get_span_context()
    assert again.context.trace_id == request.get_span_context().trace_id
    assert again.links == ()


def test_with_the_span_around_it_a_trace_comes_whole(application, of_mlflow, wire):
    with application.tracer.start_as_current_span("POST /ask"):
        root = root_of_mlflow(of_mlflow)
        late = application.tracer.start_span("chat", set_span_in_context(root))
        root.end()
        assert wire.requests == []
    assert wire.requests == []
    late.end()
    assert [sorted(request.span_names) for request in wire.requests] == [
        ["POST /ask", "agent", "chat"]
    ]


def test_what_mlflow_says_of_its_trace_the_root_here_says_too(
    application, of_mlflow, wire
):
    says = {
        "mlflow.spanType": '"AGENT"',
        "mlflow.spanInputs": '{"q": "Rain?"}',
        "mlflow.spanOutputs": '"No."',
    }
    with application.tracer.start_as_current_span("POST /ask"):
        for name in ("agent", "next"):
            root_of_mlflow(of_mlflow, name, attributes=says).end()
            says = {"mlflow.spanInputs": '"And tomorrow?"'}
    (request,) = wire.requests
    assert request.texts_of("POST /ask") == {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": '{"q": "Rain?"}',
        "mlflow.spanOutputs": "No.",
        "mlflow.traceTag.mlflow.traceName": "agent",
    }


def test_what_ended_or_goes_elsewhere_is_linked(application, of_mlflow, wire):
    elsewhere = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    ended = application.tracer.start_span("ended")
    ended.end()
    for around in (ended, elsewhere.get_tracer("other").start_span("other")):
        with trace.use_span(around):
            root_of_mlflow(of_mlflow).end()
        *_, again = application.finished.get_finished_spans()
        assert again.parent is None
        assert [link.context for link in again.links] == [around.get_span_context()]
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("sampler", "kept"),
    [
        (sampling.ALWAYS_ON, True),
        (sampling.ALWAYS_OFF, False),
        (sampling.ParentBased(sampling.ALWAYS_OFF), True),
        (sampling.ParentBasedTraceIdRatio(0), True),
    ],
)
def test_a_root_is_kept_where_what_is_beneath_it_is(exporter, wire, sampler, kept):
    application = Application(exporter, sampler)
    MlflowInstrumentor().instrument(tracer_provider=application.provider)
    provider = TracerProvider(shutdown_on_exit=False)
    one_tree._join(provider)
    agent_and_call(application, provider.get_tracer("mlflow"))
    assert set(application.spans) == ({"invoke_agent agent", "chat"} if kept else set())
    assert len(wire.requests) == kept


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


def test_a_flush_of_the_provider_sends_what_waits(application, of_mlflow, wire):
    agent = of_mlflow.start_span("agent")
    application.tracer.start_span("chat", set_span_in_context(agent)).end()
    assert wire.requests == []
    assert application.provider.force_flush()
    assert [request.span_names for request in wire.requests] == [["chat"]]
    agent.end()


def test_what_waits_is_counted_with_its_content(
    monkeypatch, application, of_mlflow, wire
):
    monkeypatch.setattr(_whole_traces, "_MOST_BYTES", 5_000)
    agent = of_mlflow.start_span("agent")
    content = {"mlflow.spanInputs": json.dumps("x" * 5_000)}
    of_mlflow.start_span("tool", set_span_in_context(agent), attributes=content).end()
    assert [request.span_names for request in wire.requests] == [["tool"]]
    agent.end()


def test_mlflows_provider_does_not_end_the_applications(application, of_mlflow):
    provider = TracerProvider(shutdown_on_exit=False)
    one_tree._join(provider)
    provider.force_flush()
    provider.shutdown()
    agent_and_call(application, of_mlflow)
    assert len(application.spans) == 2


def test_a_provider_that_mlflow_shares_needs_nothing(application, wire):
    one_tree._join(application.provider)
    application.tracer.start_span("agent").end()
    assert [request.span_names for request in wire.requests] == [["agent"]]


def test_without_a_provider_of_the_sdks_nothing_waits(exporter):
    MlflowInstrumentor().instrument(tracer_provider=trace.NoOpTracerProvider())
    provider = TracerProvider(shutdown_on_exit=False)
    one_tree._join(provider)
    provider.get_tracer("mlflow").start_span("agent").end()


@pytest.mark.swallows
def test_what_goes_wrong_is_said_and_costs_that_span(
    application, of_mlflow, wire, caplog
):
    class Breaks(SimpleSpanProcessor):
        def on_start(self, span, parent_context=None):
            if "agent" in span.name:
                raise LookupError("processor")

    application.provider.add_span_processor(Breaks(InMemorySpanExporter()))
    agent_and_call(application, of_mlflow)
    assert [record.getMessage() for record in caplog.records] == [
        "A span of @mlflow.trace does not reach other backends"
    ]
    application.provider.force_flush()
    assert [request.span_names for request in wire.requests] == [["chat"]]


# --- on and off


def test_it_begins_with_an_exporter_in_either_order(monkeypatch, wire):
    for first, second in (
        (MlflowInstrumentor().instrument, lambda: None),
        (lambda: None, MlflowInstrumentor().instrument),
    ):
        first()
        assert PROPAGATE not in os.environ
        exporter = MlflowSpanExporter(tracking_uri=wire.uri)
        second()
        assert (os.environ[PROPAGATE], os.environ[OTLP]) == ("true", "false")
        MlflowInstrumentor().uninstrument()
        assert PROPAGATE not in os.environ
        assert OTLP not in os.environ
        exporter.shutdown()
        one_tree._served.clear()


def test_without_our_exporter_nothing_is_changed():
    MlflowInstrumentor().instrument()
    assert [name for name in os.environ if name.startswith("MLFLOW_")] == []


def test_what_the_user_set_stays(monkeypatch, exporter):
    monkeypatch.setenv(PROPAGATE, "false")
    monkeypatch.setenv(OTLP, "true")
    MlflowInstrumentor().instrument()
    MlflowInstrumentor().uninstrument()
    assert (os.environ[PROPAGATE], os.environ[OTLP]) == ("false", "true")


def test_what_the_user_set_since_stays(exporter, monkeypatch):
    MlflowInstrumentor().instrument()
    monkeypatch.setenv(PROPAGATE, "1")
    MlflowInstrumentor().uninstrument()
    assert os.environ[PROPAGATE] == "1"


def test_switched_off_spans_of_mlflows_stay_its_own(application, of_mlflow, wire):
    MlflowInstrumentor().uninstrument()
    of_mlflow.start_span("agent").end()
    assert application.spans == {}


def test_a_version_of_mlflow_that_cannot_is_named_once(exporter, caplog):
    with caplog.at_level(logging.WARNING):
        one_tree._provider_imported(types.ModuleType("mlflow.tracing.provider"))
    (record,) = caplog.records
    assert record.getMessage() == (
        "Spans of @mlflow.trace stay in traces of their own: this version of MLflow is "
        "not one of 3.16 to 3.17 (module 'mlflow.tracing.provider' has no attribute "
        "'get_bridged_tracer_provider'). Other spans reach MLflow as before."
    )


def test_where_mlflows_roots_cannot_be_beneath_a_span_that_is_said_once(
    application, of_mlflow, caplog, monkeypatch
):
    manager = "mlflow.tracing.trace_manager"
    monkeypatch.setitem(sys.modules, manager, types.ModuleType(manager))

    def start():
        return root_of_mlflow(of_mlflow)

    with application.tracer.start_as_current_span("POST /ask"):
        for _ in range(2):
            one_tree._span_started(start, None, (), {}).end()
    assert [record.getMessage() for record in caplog.records] == [STAYS_APART]
    assert application.spans["agent"].parent is None
    assert len(application.spans["agent"].links) == 1


STAYS_APART = (
    "Under a span of the application, spans of @mlflow.trace stay in linked traces of "
    "their own: this version of MLflow is not one of 3.16 to 3.17."
)


def test_a_client_of_mlflows_that_is_another_is_imported_all_the_same(caplog):
    one_tree._client_imported(types.ModuleType("mlflow.tracing.client"))
    assert [record.getMessage() for record in caplog.records] == [STAYS_APART]


class AnotherClient:
    """Its spans are not what MLflow's are today."""

    tracking_uri = "http://localhost"

    def log_spans(self, location, spans, *, newer=None):
        return location, spans, newer

    def _upload_trace_data(self, trace_info, trace_data):
        return trace_info, trace_data


def test_what_a_client_of_mlflows_sends_goes_whatever_it_is(exporter, caplog):
    MlflowInstrumentor().instrument()
    module = types.ModuleType("mlflow.tracing.client")
    module.TracingClient = AnotherClient
    one_tree._client_imported(module)
    client = AnotherClient()
    client.tracking_uri = exporter._destination.address
    assert client.log_spans("7", spans=["a span"], newer=1) == ("7", ["a span"], 1)
    one_tree._stays_apart = False
    assert client._upload_trace_data("info", "data") == ("info", "data")
    assert {record.getMessage() for record in caplog.records} == {STAYS_APART}


def test_where_mlflows_exporter_cannot_be_made_ready_that_is_said(caplog):
    _last_words.see_to_them(types.ModuleType("mlflow.tracing.provider"))
    (record,) = caplog.records
    assert record.getMessage() == (
        "What mlflow.update_current_trace sets may not arrive from a program that ends "
        "at once: this version of MLflow is not one of 3.16 to 3.17. Call "
        "mlflow.flush_trace_async_logging() at its end."
    )


@pytest.mark.parametrize(
    ("theirs", "lasted", "tries"), [(None, 1, "2"), (None, 6, None), ("7", 1, "7")]
)
def test_a_program_that_ends_at_once_is_not_held_up(monkeypatch, theirs, lasted, tries):
    retries = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    monkeypatch.setenv(retries, theirs or "")
    if theirs is None:
        monkeypatch.delenv(retries)
    _last_words._hurry(time.monotonic() - lasted)
    assert os.environ.get(retries) == tries


# --- what it takes of MLflow: fails when a private name moves


def in_mlflow(program, wire):
    """What `program` prints, as JSON, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(program)],
        env=os.environ | {"MLFLOW_TRACKING_URI": wire.uri},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


PROLOGUE = """
import json, os
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter

finished = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(finished))
trace.set_tracer_provider(provider)
exporter = MlflowSpanExporter()
"""


def test_each_provider_of_mlflows_is_joined(wire):
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
        wire,
    ) == [["a"], ["a"], [], ["a"], ["a"], ["a"]]


@pytest.mark.parametrize("is_asynchronous", [True, False])
def test_mlflows_exporter_is_ready_for_the_end_with_its_first_span(
    wire, is_asynchronous
):
    assert in_mlflow(
        f"""
        os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "{is_asynchronous}"
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.provider import _get_trace_exporter

        def ready():
            queue = getattr(_get_trace_exporter(), "_async_queue", None)
            return queue and queue.is_active()

        mlflow.tracing.enable()
        before = ready()
        for name in "ab":
            with mlflow.start_span(name):
                pass
        print(json.dumps([before, ready()]))
        os._exit(0)
        """,
        wire,
    ) == ([False, True] if is_asynchronous else [None, None])


def test_in_a_forked_child_mlflows_exporter_starts_anew(wire):
    assert (
        in_mlflow(
            """
        import signal
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.export.async_export_queue import Task
        from mlflow.tracing.provider import _get_trace_exporter

        with mlflow.start_span("a"):
            pass
        came, went = os.pipe()
        if os.fork() == 0:
            signal.alarm(60)
            queue = _get_trace_exporter()._async_queue
            queue.put(Task(handler=os.write, args=(went, b"done")))
            queue.flush(terminate=True)
            os._exit(0)
        os.close(went)
        print(json.dumps(os.read(came, 9).decode()))
        os.wait()
        os._exit(0)
        """,
            wire,
        )
        == "done"
    )


def test_a_provider_that_mlflow_has_already_is_joined(wire):
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
        wire,
    ) == ["after"]


@pytest.mark.parametrize(
    "state", ["mlflow.tracing.disable()", "os.environ[RATIO] = '0'"]
)
def test_where_mlflow_makes_no_span_the_applications_stays_current(wire, state):
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
        wire,
    ) == [True, True, True]


def test_where_mlflow_makes_a_span_it_is_current(wire):
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
        wire,
    ) == [True, True]


@pytest.mark.parametrize(
    ("exporter", "has_parent"),
    [
        ("MlflowSpanExporter()", True),
        ("MlflowSpanExporter(endpoint='http://localhost:9')", True),
        ("MlflowSpanExporter(tracking_uri='http://localhost:9')", False),
    ],
)
def test_what_mlflow_sends_where_we_send_has_the_parent(wire, exporter, has_parent):
    logged, root, around = in_mlflow(
        f"""
        exporter = {exporter}
        os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
        os.environ["MLFLOW_USE_BATCH_SPAN_PROCESSOR"] = "false"
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.client import TracingClient

        logged = []
        store = type(TracingClient().store)
        store.log_spans = lambda _, spans, **__: logged.extend(spans)
        with trace.get_tracer("app").start_as_current_span("around") as around:
            with mlflow.start_span("root") as root:
                with mlflow.start_span("child"):
                    pass
        own = [root.span_id, f"{{around.get_span_context().span_id:016x}}"]
        print(json.dumps([[[one.name, one.parent_id] for one in logged], *own]))
        os._exit(0)
        """,
        wire,
    )
    assert logged == [["child", root], ["root", around if has_parent else None]]


def parents_in_mlflow(program, wire, setting="true"):
    """Names of the application's spans, each with its parent's."""
    program = f"""
        os.environ["MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT"] = "{setting}"
        MlflowInstrumentor().instrument()
        import threading
        import mlflow
        from opentelemetry import context

        tracer = trace.get_tracer("app")
        around = tracer.start_as_current_span
        {textwrap.indent(textwrap.dedent(program), " " * 8).strip()}
        spans = finished.get_finished_spans()
        names = {{span.context.span_id: span.name for span in spans}}
        print(json.dumps({{
            span.name: span.parent and names[span.parent.span_id] for span in spans
        }}))
        os._exit(0)
        """
    return in_mlflow(program, wire)


def test_a_span_between_two_of_mlflows_is_between_them(wire):
    assert parents_in_mlflow(
        """
        with mlflow.start_span("agent"), around("step"), mlflow.start_span("tool"):
            pass
        """,
        wire,
    ) == {"tool": "step", "step": "agent", "agent": None}


def test_where_mlflow_shows_its_span_to_nobody_it_is_within_all_the_same(wire):
    assert parents_in_mlflow(
        """
        with around("request"), mlflow.start_span("agent"), mlflow.start_span("tool"):
            pass
        """,
        wire,
        setting="false",
    ) == {"tool": "agent", "agent": "request", "request": None}


def test_in_a_thread_with_opentelemetrys_context_mlflows_span_has_its_parent(wire):
    assert parents_in_mlflow(
        """
        def work(current):
            context.attach(current)
            with mlflow.start_span("tool"):
                pass

        with around("request"), mlflow.start_span("agent"):
            args = (context.get_current(),)
            thread = threading.Thread(target=work, args=args)
            thread.start()
            thread.join()
        """,
        wire,
    ) == {"tool": "agent", "agent": "request", "request": None}


def test_a_row_of_an_evaluation_has_a_trace_of_its_own(wire):
    assert parents_in_mlflow(
        """
        from mlflow.pyfunc.context import Context, set_prediction_context

        with around("request"):
            with set_prediction_context(Context("row 1", is_evaluate=True)):
                with mlflow.start_span("agent"):
                    pass
        """,
        wire,
    ) == {"agent": None, "request": None}
