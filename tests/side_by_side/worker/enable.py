"""Enables an instrumentation, as its documentation says.

The functions run in environments with only one of the instrumentations, so they import
what they need. A function returns what reads the spans after the calls, if they are not
in this process.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.benchmarks.worker.subjects import SUBJECTS as _BENCHMARK_SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .telemetry import Telemetry

    ReadSpans = Callable[[], None]


def otel(name: str, telemetry: Telemetry) -> None:
    """Uses the global providers, as `opentelemetry-instrument` does."""
    _BENCHMARK_SUBJECTS[name].instrument(**telemetry.set_global_providers())


def deepseek_in_mlflow(telemetry: Telemetry) -> ReadSpans:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from opentelemetry.exporter.mlflow import MlflowSpanExporter

    from .mlflow_spans import read_mlflow_spans

    otel("deepseek", telemetry)
    exporter = MlflowSpanExporter(experiment_name=os.environ["MLFLOW_EXPERIMENT_NAME"])
    processor = BatchSpanProcessor(exporter)
    telemetry.tracer_provider.add_span_processor(processor)

    def read() -> None:
        processor.shutdown()
        telemetry.spans = read_mlflow_spans()

    return read


def mlflow_openai(telemetry: Telemetry) -> ReadSpans:
    import mlflow

    from .mlflow_spans import application_span, read_mlflow_spans

    telemetry.set_global_providers()
    telemetry.application_span = application_span
    mlflow.openai.autolog()

    def read() -> None:
        mlflow.flush_trace_async_logging(terminate=True)
        telemetry.spans = read_mlflow_spans()

    return read


def mlflow_otel(telemetry: Telemetry) -> ReadSpans:
    import mlflow.otel

    from .mlflow_spans import read_mlflow_spans

    otel("genai-openai", telemetry)
    mlflow.otel.autolog()

    def read() -> None:
        telemetry.tracer_provider.force_flush()
        telemetry.spans = read_mlflow_spans()

    return read


def openlit(telemetry: Telemetry) -> None:
    import openlit

    telemetry.set_global_providers()
    openlit.init()


def langfuse(telemetry: Telemetry) -> ReadSpans:
    # The import instruments the SDK.
    import langfuse.openai  # noqa: F401
    from langfuse import Langfuse

    # Langfuse sends the spans to its exporter, some of them changed or left out.
    providers = telemetry.set_global_providers(has_span_exporter=False)
    client = Langfuse(
        public_key="pk-lf-side-by-side",
        secret_key="sk-lf-side-by-side",
        base_url="http://127.0.0.1:9",
        tracer_provider=providers["tracer_provider"],
        span_exporter=telemetry.span_exporter,
    )
    return client.flush


def logfire(telemetry: Telemetry) -> None:
    import logfire
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    logfire.configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(telemetry.span_exporter)],
        metrics=logfire.MetricsOptions(additional_readers=[telemetry.metric_reader]),
    )
    logfire.instrument_openai()
