"""MLflow's own span processor, whose errors must not hide spans."""

from __future__ import annotations

import types

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from opentelemetry.exporter.mlflow._mlflow_bridge import _span_processor_patch
from opentelemetry.exporter.mlflow._mlflow_bridge._span_processor_patch import (
    patch_span_processor,
)


@pytest.fixture(autouse=True)
def without_mlflow(monkeypatch):
    monkeypatch.setattr(_span_processor_patch, "_chooses_server_ids", lambda: False)


class UninitializedProcessor(SimpleSpanProcessor):
    """Does not call `__init__` of its base class, as the oldest versions of MLflow."""

    def __init__(self, span_exporter):
        self.span_exporter = span_exporter


class FailingProcessor(SimpleSpanProcessor):
    def on_end(self, span):
        raise ModuleNotFoundError("No module named 'grpc'")


def create_processor(processor_class, *, is_exported=True):
    module = types.ModuleType("mlflow.tracing.provider")
    finished = InMemorySpanExporter()
    module._get_mlflow_span_processor = lambda tracking_uri: processor_class(finished)
    patch_span_processor(module, lambda _: is_exported)
    return module._get_mlflow_span_processor(tracking_uri="http://a"), finished


def end_span(*processors):
    provider = TracerProvider(shutdown_on_exit=False)
    for processor in processors:
        provider.add_span_processor(processor)
    provider.get_tracer("mlflow").start_span("a").end()


def test_a_span_ends_with_a_processor_that_is_not_initialized():
    processor, finished = create_processor(UninitializedProcessor)
    end_span(processor)
    assert [span.name for span in finished.get_finished_spans()] == ["a"]


def test_a_processor_that_fails_does_not_hide_the_span_and_is_logged_once(caplog):
    processor, _ = create_processor(FailingProcessor)
    others = InMemorySpanExporter()
    for _ in range(2):
        end_span(processor, SimpleSpanProcessor(others))
    assert len(others.get_finished_spans()) == 2
    (message,) = caplog.messages
    assert "(ModuleNotFoundError: No module named 'grpc')" in message


def test_a_processor_for_another_server_is_not_changed():
    processor, _ = create_processor(FailingProcessor, is_exported=False)
    with pytest.raises(ModuleNotFoundError):
        end_span(processor)


def test_a_version_without_the_function_is_not_patched():
    module = types.ModuleType("mlflow.tracing.provider")
    patch_span_processor(module, lambda _: True)
    assert not hasattr(module, "_get_mlflow_span_processor")


def test_without_the_classes_for_databricks_the_processor_of_mlflow_is_used(
    monkeypatch, caplog
):
    monkeypatch.setattr(_span_processor_patch, "_chooses_server_ids", lambda: True)

    def fail(*_):
        raise ModuleNotFoundError("No module named 'mlflow_v3'")

    monkeypatch.setattr(_span_processor_patch, "_processor_with_span_ids", fail)
    processor, finished = create_processor(SimpleSpanProcessor)
    end_span(processor)
    assert len(finished.get_finished_spans()) == 1
    assert "mlflow_v3" in caplog.text


def test_a_version_without_the_package_of_the_processors_chooses_no_ids(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(_span_processor_patch, "_SERVER_IDS_MODULE", "no.such.module")
    assert not _span_processor_patch._chooses_server_ids()
