"""Prints, as JSON, what the private names of the installed MLflow do.

Each function of this program observes one name, or the names that took its place in
other versions. None of them knows a version. MLFLOW_TRACKING_URI must be set.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from types import SimpleNamespace

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

# Before the import of MLflow, like an OTLP endpoint in the environment of a program.
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
os.environ["MLFLOW_ENABLE_OTLP_EXPORTER"] = "false"
os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"

import mlflow
import mlflow.environment_variables
import mlflow.pyfunc.context
import mlflow.tracking.fluent
from mlflow.entities import Span
from mlflow.entities.span import NoOpSpan
from mlflow.tracing import client, fluent, provider, trace_manager
from openai import APIConnectionError, OpenAI

from opentelemetry import trace

FACTS = []


def fact(function):
    FACTS.append(function)
    return function


def record_calls(owner, name):
    """Replace a function by one that adds its arguments to the returned list."""
    calls = []
    original = getattr(owner, name)

    def recorder(*args, **kwargs):
        calls.append(args)
        return original(*args, **kwargs)

    setattr(owner, name, recorder)
    return calls


@fact
def should_use_otlp_exporter():
    """The setting exists, or the function without it, and `provider` asks it."""
    has_setting = hasattr(mlflow.environment_variables, "MLFLOW_ENABLE_OTLP_EXPORTER")
    calls = record_calls(provider, "should_use_otlp_exporter")
    mlflow.tracing.reset()
    with mlflow.start_span("a"):
        pass
    uses_otlp = provider.should_use_otlp_exporter()
    provider.should_use_otlp_exporter = lambda: False
    mlflow.tracing.reset()
    return uses_otlp is not has_setting and bool(calls)


@fact
def tracer_provider():
    """Each new provider passes through `set`, or is in a variable afterwards."""
    seen = []
    if hasattr(provider, "_TracerProviderWrapper"):
        original = provider._TracerProviderWrapper.set

        def set_provider(self, tracer_provider):
            seen.append(tracer_provider)
            return original(self, tracer_provider)

        provider._TracerProviderWrapper.set = set_provider
    else:
        original = provider._setup_tracer_provider

        def set_up(*args, **kwargs):
            original(*args, **kwargs)
            seen.append(provider._MLFLOW_TRACER_PROVIDER)

        provider._setup_tracer_provider = set_up
    used = []
    for change in (mlflow.tracing.reset, mlflow.tracing.disable, lambda: None):
        change()
        mlflow.tracing.enable()
        with mlflow.start_span("a") as span:
            used.append(span._span._span_processor)
    processors = [
        item._active_span_processor for item in seen if isinstance(item, TracerProvider)
    ]
    return len(set(used)) == 2 and set(used) <= set(processors)


@fact
def start_span_in_context():
    calls = record_calls(provider, "start_span_in_context")
    with mlflow.start_span("a"):
        pass
    return len(calls) == 1


@fact
def start_detached_span():
    calls = record_calls(provider, "start_detached_span")
    mlflow.start_span_no_context("a").end()
    return len(calls) == 1


@fact
def set_span_in_context():
    """Generators call it, and `with_active_span` if it exists, with a span of MLflow's.

    `detach_span_from_context` gets the token.
    """
    calls = record_calls(provider, "set_span_in_context")
    tokens = record_calls(provider, "detach_span_from_context")

    @mlflow.trace
    def generator():
        yield 1

    list(generator())
    count = len(calls)
    with mlflow.start_span("a"):
        pass
    return (
        count > 0
        and (len(calls) > count) is hasattr(fluent, "with_active_span")
        and len(tokens) == len(calls)
        and all(isinstance(span, Span) for (span,) in calls)
    )


@fact
def trace_api():
    """Without `with_active_span`, `start_span` calls `trace_api.use_span`."""
    if hasattr(fluent, "with_active_span"):
        return True

    fluent.trace_api = recorder = SimpleNamespace(**vars(trace))
    calls = record_calls(recorder, "use_span")
    with mlflow.start_span("a") as span:
        pass
    fluent.trace_api = trace
    return calls == [(span._span,)]


@fact
def mlflow_runtime_context():
    """MLflow's active span is in this context if it exists, else in OpenTelemetry's."""
    with mlflow.start_span("a") as span:
        if hasattr(provider, "mlflow_runtime_context"):
            current = provider.mlflow_runtime_context.get_current()
            return trace.get_current_span(current) is span._span
        return trace.get_current_span() is span._span


@fact
def mlflow_trace_propagate_to_otel_context():
    """The setting exists, or spans of MLflow are not in the context without a patch."""
    name = "MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT"
    os.environ[name] = "true"
    with mlflow.start_span("a") as span:
        is_current = trace.get_current_span() is span._span
    del os.environ[name]
    has_own_context = hasattr(provider, "mlflow_runtime_context")
    has_setting = hasattr(mlflow.environment_variables, name)
    return is_current is (has_setting or not has_own_context)


@fact
def mlflow_use_default_tracer_provider():
    setting = getattr(provider, "MLFLOW_USE_DEFAULT_TRACER_PROVIDER", None)
    return setting is None or setting.get() is True


@fact
def in_memory_trace_manager():
    """It has the traces by OpenTelemetry's trace id until their roots end."""
    traces = trace_manager.InMemoryTraceManager.get_instance()
    with mlflow.start_span("a") as span:
        otel_id = span._span.get_span_context().trace_id
        trace_id = traces.get_mlflow_trace_id_from_otel_id(otel_id)
        with traces.get_trace(trace_id) as found:
            is_found = found is not None
        with traces.get_trace("tr-unknown") as found:
            is_unknown = found is None
    return bool(trace_id) and is_found and is_unknown


@fact
def lock_of_the_trace_manager():
    """`get_trace` holds it. If it is reentrant, a span can start meanwhile."""
    traces = trace_manager.InMemoryTraceManager.get_instance()
    with mlflow.start_span("a") as span, traces.get_trace(span.trace_id):
        return repr(traces._lock).startswith("<locked ")


@fact
def trace_id_of_the_span():
    """The trace id is that of the span, except with `mlflow_v2`."""
    with mlflow.start_span("a") as span:
        otel_id = span._span.get_span_context().trace_id
        is_same = span.trace_id == f"tr-{otel_id:032x}"
    return is_same or find_spec("mlflow.tracing.processor.mlflow_v2") is not None


@fact
def get_mlflow_span_processor():
    """With `mlflow_v2`, it takes an experiment id, and the classes of v3 exist."""
    parameters = inspect.signature(provider._get_mlflow_span_processor).parameters
    name, *others = parameters
    if find_spec("mlflow.tracing.processor.mlflow_v2") is None:
        return name == "tracking_uri" and "experiment_id" not in others
    from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter
    from mlflow.tracing.processor.mlflow_v3 import MlflowV3SpanProcessor

    exporter = MlflowV3SpanExporter(tracking_uri=os.environ["MLFLOW_TRACKING_URI"])
    processor = MlflowV3SpanProcessor(exporter, experiment_id="0")
    return isinstance(processor, SimpleSpanProcessor) and others == ["experiment_id"]


@fact
def tracing_client():
    """`log_spans`, if it exists, and `_upload_trace_data` take the spans second."""
    tracing_client = client.TracingClient(os.environ["MLFLOW_TRACKING_URI"])
    methods = [tracing_client._upload_trace_data]
    if hasattr(client.TracingClient, "log_spans"):
        methods.append(tracing_client.log_spans)
    names = [list(inspect.signature(method).parameters)[1] for method in methods]
    return (
        names in (["trace_data"], ["trace_data", "spans"])
        and tracing_client.tracking_uri == os.environ["MLFLOW_TRACKING_URI"]
    )


@fact
def update_trace_info():
    """It completes the TraceInfo of a root; previews are there only if set."""
    from mlflow.tracing.processor.base_mlflow import BaseMlflowSpanProcessor

    infos = []
    original = BaseMlflowSpanProcessor._update_trace_info

    def recorder(self, trace, root_span):
        original(self, trace, root_span)
        infos.append(trace.info)
        previews = trace.info.request_preview, trace.info.response_preview
        infos.append((*previews, root_span.context.trace_id, trace.info.state))

    BaseMlflowSpanProcessor._update_trace_info = recorder
    with mlflow.start_span("a") as span:
        span.set_inputs("question")
        span.set_outputs("answer")
        mlflow.update_current_trace({"desk": "north"}, response_preview="set")
        otel_id = span._span.get_span_context().trace_id
    BaseMlflowSpanProcessor._update_trace_info = original
    info, values = infos
    return values == (None, "set", otel_id, "OK") and info.tags["desk"] == "north"


@fact
def get_trace_exporter():
    with mlflow.start_span("a"):
        pass
    return hasattr(provider._get_trace_exporter(), "export")


@fact
def async_export_queue():
    """It runs tasks in threads that start with the first one."""
    from mlflow.tracing.export.async_export_queue import AsyncTraceExportQueue, Task

    handled = []
    queue = AsyncTraceExportQueue()
    is_active_before = queue._is_active
    queue.put(Task(handler=handled.append, args=(1,)))
    is_active = queue._is_active
    queue.flush(terminate=True)
    return (is_active_before, is_active, handled) == (False, True, [1])


@fact
def get_experiment_id_from_env():
    """MLflow asks it for the experiment of MLFLOW_EXPERIMENT_NAME."""
    calls = record_calls(mlflow.tracking.fluent, "_get_experiment_id_from_env")
    mlflow.tracking.fluent._get_experiment_id()
    return len(calls) == 1


@fact
def start_span_of_autolog():
    """Autolog calls it with the resource and the arguments, and may get a NoOpSpan."""
    mlflow.openai.autolog()
    module = sys.modules["mlflow.openai.autolog"]
    calls, ends = [], []

    class AutologSpan(NoOpSpan):
        def end(self, *args, **kwargs):
            ends.append((args, kwargs))

    def start_span(*args):
        calls.append(args)
        return AutologSpan()

    module._start_span = start_span
    client = OpenAI(base_url="http://127.0.0.1:9", api_key="sk-1", max_retries=0)
    with suppress(APIConnectionError):
        client.chat.completions.create(model="m", messages=[])
    mlflow.openai.autolog(disable=True)
    ((resource, inputs, _),) = calls
    return (
        resource._client is client
        and (inputs["model"], inputs["messages"]) == ("m", [])
        and len(ends) == 1
    )


@fact
def get_prediction_context():
    from mlflow.pyfunc.context import (
        Context,
        get_prediction_context,
        set_prediction_context,
    )

    with set_prediction_context(Context("row 1", is_evaluate=True)):
        return get_prediction_context().is_evaluate is True


def observe(function):
    try:
        return function()
    except Exception as error:  # noqa: BLE001  # the test shows it
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    facts = {function.__name__: observe(function) for function in FACTS}
    json.dump(facts, sys.stdout)
    sys.stdout.flush()
    os._exit(0)
