"""OpenTelemetry spans in MLflow.

>>> from opentelemetry.exporter.mlflow import MlflowSpanExporter
>>> from opentelemetry.sdk.trace import TracerProvider
>>> from opentelemetry.sdk.trace.export import BatchSpanProcessor
>>> provider = TracerProvider()
>>> exporter = MlflowSpanExporter(
...     tracking_uri="http://localhost:5000", experiment_name="agents"
... )
>>> provider.add_span_processor(BatchSpanProcessor(exporter))

or without a line of code, beside any other exporter:

    MLFLOW_TRACKING_URI=http://localhost:5000 OTEL_TRACES_EXPORTER=otlp,mlflow \\
        opentelemetry-instrument python app.py

Model calls that follow the GenAI conventions show as a conversation, with reasoning,
tools, tokens and cost; the list of traces shows what was asked and answered, whatever
the root span is. The spans themselves stay as they are.

Spans of `@mlflow.trace` join the application's: one tree with the same ids, in MLflow
and in every other backend. `opentelemetry-instrument` sees to that (the instrumentation
is called `mlflow`, in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS); in code it is

>>> from opentelemetry.exporter.mlflow import MlflowInstrumentor
>>> MlflowInstrumentor().instrument()
"""

from __future__ import annotations

from opentelemetry.exporter.mlflow._exporter import MlflowSpanExporter
from opentelemetry.exporter.mlflow._mapping import mlflow_attributes
from opentelemetry.exporter.mlflow._mlflow_bridge._instrumentor import (
    MlflowInstrumentor,
)

__all__ = ["MlflowInstrumentor", "MlflowSpanExporter", "mlflow_attributes"]
