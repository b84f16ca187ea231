"""Spans that MLflow would not record go to the other exporters alone."""

from __future__ import annotations

import gc
import logging
import sys

import mlflow
import pytest
from mlflow.tracing import provider as mlflow_provider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from opentelemetry import trace
from opentelemetry.exporter.mlflow._fluent_api import _sampling
from opentelemetry.exporter.mlflow._fluent_api._span_settings import span_settings
from opentelemetry.exporter.mlflow._mlflow_bridge import (
    _exporter_providers,
    _program_processor,
)


@pytest.fixture
def switch(monkeypatch):
    """A function that switches MLflow's tracing."""

    def switch(is_enabled):
        monkeypatch.setattr(mlflow_provider, "is_tracing_enabled", lambda: is_enabled)

    return switch


def test_trace_that_starts_while_tracing_is_disabled_is_not_sent(application, switch):
    switch(False)
    with application.tracer.start_as_current_span("request"):
        switch(True)
        application.call()
    application.call("after")
    assert application.sent == ["after"]
    assert application.other_names == ["chat", "request", "after"]
    assert mlflow.get_last_active_trace_id() is not None


def test_call_that_starts_while_tracing_is_disabled_is_not_sent(application, switch):
    with application.tracer.start_as_current_span("request"):
        switch(False)
        application.call()
        switch(True)
    assert application.sent == ["request"]


def test_disabled_context_holds_for_what_starts_in_it(application):
    with mlflow.tracing.context(enabled=False):
        application.call("a")
    application.call("b")
    assert application.sent == ["b"]


def test_decision_is_released_with_the_span(application, switch):
    switch(False)
    application.call()
    application.memory.clear()
    gc.collect()
    assert span_settings.is_empty


def test_share_is_that_of_the_sampler_of_mlflow(application, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", "0.5")
    monkeypatch.delitem(sys.modules, "mlflow.tracing.provider")
    for _ in range(30):
        with application.tracer.start_as_current_span("request"):
            application.call()
    sampler = mlflow.tracing.sampling._MlflowSampler(0.5)
    expected = [
        span.name
        for span in application.memory.get_finished_spans()
        if sampler.should_sample(None, span.context.trace_id, "").decision.value
    ]
    assert application.sent == expected
    assert 0 < len(expected) < 60


@pytest.mark.parametrize("ratio", ["2", "some"])
def test_invalid_ratio_does_not_count(application, monkeypatch, ratio):
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", ratio)
    application.call()
    assert application.sent == ["chat"]


def test_ratio_of_a_function_takes_precedence(application, monkeypatch):
    override = mlflow.tracing.sampling._SAMPLING_RATIO_OVERRIDE
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", "0")
    token = override.set(1.0)
    with application.tracer.start_as_current_span("a"):
        application.call("b")
    override.reset(token)
    monkeypatch.delenv("MLFLOW_TRACE_SAMPLING_RATIO")
    token = override.set(0.0)
    application.call("c")
    override.reset(token)
    assert application.sent == ["b", "a"]


def test_calls_beneath_a_fluent_span_have_its_decision(application, monkeypatch):
    current = []
    monkeypatch.setattr(mlflow_provider, "get_current_otel_span", lambda: current[0])
    sampler = trace.NonRecordingSpan(trace.SpanContext(1, 1, is_remote=False))
    remote = trace.NonRecordingSpan(trace.SpanContext(1, 1, is_remote=True))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("mlflow")
    fluent = tracer.start_span("a", attributes={"mlflow.traceRequestId": '"tr-1"'})
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", "0")
    current[:] = [fluent]
    application.call("beneath a sampled one")
    monkeypatch.delenv("MLFLOW_TRACE_SAMPLING_RATIO")
    for span, name in (
        (sampler, "beneath an unsampled one"),
        (remote, "beneath another service"),
        (tracer.start_span("b"), "beneath a span of the application"),
        (None, "beneath nothing"),
    ):
        current[:] = [span]
        application.call(name)
    assert application.sent == [
        "beneath a sampled one",
        "beneath another service",
        "beneath a span of the application",
        "beneath nothing",
    ]


def test_unknown_version_of_mlflow_is_logged_once(application, monkeypatch, caplog):
    monkeypatch.delattr(mlflow_provider, "is_tracing_enabled")
    with caplog.at_level(logging.WARNING):
        application.call()
        application.call()
    assert application.sent == ["chat", "chat"]
    assert caplog.text.count("this version of MLflow is not supported") == 1


def test_last_trace_is_that_of_the_call(application):
    span = application.call()
    expected = f"tr-{span.get_span_context().trace_id:032x}"
    assert mlflow.get_last_active_trace_id(thread_local=True) == expected
    application.tracer.start_span("not a model call").end()
    assert mlflow.get_last_active_trace_id() == expected


def test_without_mlflow_a_span_costs_a_look_at_the_modules(application, monkeypatch):
    monkeypatch.delitem(sys.modules, "mlflow.tracing.provider")
    monkeypatch.setattr(_program_processor, "span_mirror", None)
    application.call()
    assert application.sent == ["chat"]


def test_processor_is_added_once_to_each_provider(application):
    provider = TracerProvider(shutdown_on_exit=False)
    for _ in range(2):
        provider.add_span_processor(
            span_processor=SimpleSpanProcessor(application.exporter)
        )
    processors = provider._active_span_processor._span_processors
    assert [type(p).__name__ for p in processors] == [
        "ProgramProcessor",
        "SimpleSpanProcessor",
        "SimpleSpanProcessor",
    ]


def test_global_provider_gets_the_processor_if_no_other_has_an_exporter(monkeypatch):
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(_exporter_providers, "_providers", set())
    _exporter_providers.attach_to_global_provider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    _exporter_providers.attach_to_global_provider()
    _exporter_providers.attach_to_global_provider()
    assert len(provider._active_span_processor._span_processors) == 1


def test_share_of_everything_is_everything():
    assert _sampling.is_in_share(2**128 - 1, 1.0)
    assert not _sampling.is_in_share(0, 0.0)
