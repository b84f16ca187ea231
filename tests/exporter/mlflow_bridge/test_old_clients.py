"""What only old versions of MLflow's client need, with modules like theirs.

`test_private_names.py` and the other tests run with the real ones.
"""

from __future__ import annotations

import sys
import threading
import types
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan

from opentelemetry import trace
from opentelemetry.exporter.mlflow._mlflow_bridge import _context_patch, _provider_patch
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge
from opentelemetry.exporter.mlflow._mlflow_bridge._span_processor_patch import (
    _processor_with_span_ids,
)


class TraceManager:
    def __init__(self, trace_id, trace, lock):
        self._lock = lock
        self._trace_id = trace_id
        self._trace = trace

    def get_instance(self):
        return self

    def get_mlflow_trace_id_from_otel_id(self, _):
        return self._trace_id

    @contextmanager
    def get_trace(self, _):
        with self._lock:
            yield self._trace


@pytest.fixture
def start_agent(monkeypatch, application, mlflow_tracer):
    """Start a span in OpenTelemetry's context, as MLflow without a context of its own.

    The trace manager has the trace if it has a `trace_id`.
    """

    def start(trace_id, trace="a trace", lock=None, *, shares_provider=False):
        manager_module = types.ModuleType("mlflow.tracing.trace_manager")
        manager_module.InMemoryTraceManager = TraceManager(
            trace_id, trace, lock or threading.RLock()
        )
        monkeypatch.setitem(sys.modules, manager_module.__name__, manager_module)
        provider_module = types.ModuleType("mlflow.tracing.provider")
        provider_module.MLFLOW_USE_DEFAULT_TRACER_PROVIDER = types.SimpleNamespace(
            get=lambda: not shares_provider
        )
        monkeypatch.setattr(bridge, "_provider_module", provider_module)
        return bridge._on_start_span(mlflow_tracer.start_span, None, ("agent",), {})

    return start


@pytest.mark.parametrize(
    ("arguments", "is_root"),
    [
        ({"trace_id": None}, True),
        ({"trace_id": "tr-1"}, False),
        ({"trace_id": "tr-1", "lock": threading.Lock()}, False),
        ({"trace_id": "tr-1", "trace": None}, True),
        ({"trace_id": None, "shares_provider": True}, False),
    ],
)
def test_a_span_is_a_root_for_mlflow_unless_it_has_the_trace(
    application, start_agent, arguments, is_root
):
    with application.tracer.start_as_current_span("POST /ask") as request:
        agent = start_agent(**arguments)
        agent.end()
        assert trace.get_current_span() is request
    assert (agent.parent is None) is is_root
    mirror = application.spans["agent"]
    assert mirror.parent == request.get_span_context()
    assert mirror.links == ()


def test_a_current_span_without_a_context_is_not_hidden(application, start_agent):
    with trace.use_span(NonRecordingSpan(None)):
        start_agent(None).end()
    assert application.spans["agent"].parent is None


@pytest.mark.parametrize("is_propagated", ["true", "false"])
def test_the_active_span_is_on_the_context_of_opentelemetry(monkeypatch, is_propagated):
    monkeypatch.setenv("MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT", is_propagated)
    module = types.ModuleType("mlflow.tracing.provider")
    detached = []
    module.set_span_in_context = lambda span: "token"
    module.detach_span_from_context = detached.append
    _context_patch.patch_context(module, lambda: True, pytest.fail)
    span = TracerProvider(shutdown_on_exit=False).get_tracer("a").start_span("a")
    token = module.set_span_in_context(types.SimpleNamespace(_span=span))
    assert (trace.get_current_span() is span) is (is_propagated == "true")
    module.detach_span_from_context(token)
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert detached == ["token"]


def test_a_span_of_an_unknown_kind_is_active_in_mlflow():
    module = types.ModuleType("mlflow.tracing.provider")
    errors = []
    module.set_span_in_context = lambda span: "token"
    module.detach_span_from_context = lambda token: None
    _context_patch.patch_context(module, lambda: True, errors.append)
    assert module.set_span_in_context("a span") == "token"
    assert len(errors) == 1


def test_a_span_that_is_not_recorded_does_not_hide_the_current_one():
    fluent = types.SimpleNamespace(trace_api=trace)
    _context_patch.patch_use_span(fluent, lambda: True)
    span = TracerProvider(shutdown_on_exit=False).get_tracer("a").start_span("a")
    with fluent.trace_api.use_span(span):
        with fluent.trace_api.use_span(NonRecordingSpan(None)):
            assert fluent.trace_api.get_current_span() is span
        assert trace.get_current_span() is span
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize(
    ("setting", "is_active", "exports"),
    [("false", True, False), ("true", True, True), ("false", False, True)],
)
def test_the_setting_of_the_otlp_export_is_obeyed(
    monkeypatch, setting, is_active, exports
):
    name = "mlflow.environment_variables"
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setenv("MLFLOW_ENABLE_OTLP_EXPORTER", setting)
    module = types.ModuleType("mlflow.tracing.provider")
    module.should_use_otlp_exporter = lambda: True
    _provider_patch.patch_otlp_export(module, lambda: is_active)
    assert module.should_use_otlp_exporter() is exports


def test_the_otlp_export_is_not_patched_if_mlflow_knows_the_setting(monkeypatch):
    name = "mlflow.environment_variables"
    environment_variables = types.ModuleType(name)
    environment_variables.MLFLOW_ENABLE_OTLP_EXPORTER = None
    monkeypatch.setitem(sys.modules, name, environment_variables)
    _provider_patch.patch_otlp_export(types.ModuleType("a"), lambda: True)


@pytest.mark.parametrize("has_provider", [True, False])
def test_a_provider_in_a_variable_is_set_up_again_and_followed(has_provider):
    module = types.ModuleType("mlflow.tracing.provider")

    def set_up():
        module._MLFLOW_TRACER_PROVIDER = TracerProvider(shutdown_on_exit=False)

    module._MLFLOW_TRACER_PROVIDER = None
    module._setup_tracer_provider = set_up
    if has_provider:
        set_up()
    first = module._MLFLOW_TRACER_PROVIDER
    providers = []
    _provider_patch.patch_provider(module, providers.append)
    assert len(providers) == has_provider
    module._setup_tracer_provider()
    assert providers[-1] is module._MLFLOW_TRACER_PROVIDER
    assert first not in providers


@pytest.mark.parametrize(("state", "stored"), [("ERROR", 1), ("other", "other")])
def test_the_trace_id_is_that_of_the_span(monkeypatch, state, stored):
    logged = []

    class Exporter:
        def __init__(self, tracking_uri):
            self.is_async = self._should_enable_async_logging()

        def _log_trace(self, trace, *arguments):
            logged.append((trace.info.state, *arguments))

    class Processor(SimpleSpanProcessor):
        def __init__(self, exporter, experiment_id):
            super().__init__(exporter)
            self.experiment_id = experiment_id

    def convert(text):
        return {"ERROR": 1}[text] if text == "ERROR" else int(text)

    names = {
        "mlflow.entities.trace_state": {"TraceState": convert},
        "mlflow.environment_variables": {
            "MLFLOW_ENABLE_ASYNC_LOGGING": types.SimpleNamespace(get=lambda: True)
        },
        "mlflow.tracing.export.mlflow_v3": {"MlflowV3SpanExporter": Exporter},
        "mlflow.tracing.processor.mlflow_v3": {"MlflowV3SpanProcessor": Processor},
    }
    parents = ("", ".entities", ".tracing", ".tracing.export", ".tracing.processor")
    for name in [f"mlflow{parent}" for parent in parents] + list(names):
        module = types.ModuleType(name)
        vars(module).update(names.get(name, {}))
        monkeypatch.setitem(sys.modules, name, module)
    processor = _processor_with_span_ids("http://a", "7")
    assert processor.experiment_id == "7"
    assert processor.span_exporter.is_async is True
    info = types.SimpleNamespace(state=state)
    processor.span_exporter._log_trace(types.SimpleNamespace(info=info), "prompts")
    assert logged == [(stored, "prompts")]
