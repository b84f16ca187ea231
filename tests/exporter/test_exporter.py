"""The public interface of MlflowSpanExporter, and its packaging."""

from __future__ import annotations

import gc
import textwrap
from importlib.metadata import entry_points, version

import pytest
import requests
from dirty_equals import IsPartialDict
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow.version import __version__

from .conftest import Response
from .programs import run


def test_the_entry_point_mlflow_is_the_exporter():
    (entry_point,) = entry_points(group="opentelemetry_traces_exporter", name="mlflow")
    assert issubclass(entry_point.load(), SpanExporter)
    assert isinstance(entry_point.load()(), MlflowSpanExporter)
    (entry_point,) = entry_points(
        group="opentelemetry_environment_variables", name="mlflow"
    )
    options = {name for name in vars(env) if name.startswith("OTEL_")}
    assert options
    assert options <= vars(entry_point.load()).keys()


def test_the_version_is_the_version_of_the_distribution():
    assert __version__ == version("opentelemetry-instrumentation-deepseek")


def test_each_environment_variable_constant_has_its_own_name():
    names = {name: value for name, value in vars(env).items() if name.isupper()}
    assert names == {name: name for name in names}
    assert names == IsPartialDict({"MLFLOW_TRACKING_URI": "MLFLOW_TRACKING_URI"})


def test_every_argument_is_optional_and_accepts_a_yaml_value(monkeypatch, fake_server):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fake_server.uri)
    MlflowSpanExporter().shutdown()
    MlflowSpanExporter(
        tracking_uri=fake_server.uri,
        experiment_id=3,
        timeout=5,
        promote_remote_root=False,
    ).shutdown()
    MlflowSpanExporter(experiment_name="agents").shutdown()
    assert fake_server.requests == []


@pytest.mark.parametrize("value", ["no", "2", "on"])
def test_promote_remote_root_must_be_a_boolean(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT", value)
    with pytest.raises(
        ValueError, match=r"^OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT must be true or"
    ):
        MlflowSpanExporter(tracking_uri="http://localhost")


def test_the_exporter_imports_neither_mlflow_nor_openai():
    heavy_packages = '{"mlflow", "openai", "pandas", "sqlalchemy", "numpy"}'
    program = f"""
        import sys
        import opentelemetry.exporter.mlflow
        print({heavy_packages} & sys.modules.keys())
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        provider = TracerProvider()
        exporter = opentelemetry.exporter.mlflow.MlflowSpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.get_tracer("t").start_span("s").end()
        provider.shutdown()
        print({heavy_packages} & sys.modules.keys(), exporter.dropped_spans)
    """
    uri = "http://127.0.0.1:9"
    assert run(
        textwrap.dedent(program),
        MLFLOW_TRACKING_URI=uri,
        OTEL_EXPORTER_MLFLOW_TIMEOUT="1",
    ).splitlines() == ["set()", "set() 1"]


def test_force_flush_without_buffered_spans_sends_nothing(fake_server, exporter, spans):
    assert exporter.export([spans.make("root")]) is SpanExportResult.SUCCESS
    assert [request.span_names for request in fake_server.requests] == [["root"]]
    assert exporter.force_flush() is True


def test_exported_spans_are_not_changed(fake_server, exporter, spans):
    span = spans.make("s", {"gen_ai.operation.name": "chat"})
    original_json = span.to_json()
    exporter.export([span])
    assert span.to_json() == original_json


@pytest.mark.parametrize("processor", [BatchSpanProcessor, SimpleSpanProcessor])
def test_requests_of_the_exporter_are_not_traced(fake_server, monkeypatch, processor):
    # The SDK's processors disable instrumentation. The exporter sends three
    # requests: the lookup of the experiment, the spans, and the lookup of the version.
    from opentelemetry.instrumentation.utils import is_instrumentation_enabled

    exporter = MlflowSpanExporter(
        tracking_uri=fake_server.uri, experiment_name="agents"
    )
    instrumentation_states = []
    send = requests.Session.send

    def record_state_and_send(*args, **kwargs):
        instrumentation_states.append(is_instrumentation_enabled())
        return send(*args, **kwargs)

    monkeypatch.setattr(requests.Session, "send", record_state_and_send)
    fake_server.respond = lambda request: (
        Response()
        if request.path == "/v1/traces"
        else Response(
            body=b'{"experiment": {"experiment_id": "5", "lifecycle_stage": "active"}}'
        )
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor(exporter))
    provider.get_tracer("t").start_span("s").end()
    provider.shutdown()
    assert instrumentation_states == [False, False, False]


def test_an_unreferenced_exporter_is_garbage_collected(fake_server):
    import weakref

    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    exporter.shutdown()
    reference = weakref.ref(exporter)
    del exporter
    gc.collect()
    assert reference() is None
