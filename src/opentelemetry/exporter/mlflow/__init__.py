"""Exports OpenTelemetry spans to MLflow.

>>> from opentelemetry.exporter.mlflow import MlflowSpanExporter
>>> from opentelemetry.sdk.trace import TracerProvider
>>> from opentelemetry.sdk.trace.export import BatchSpanProcessor
>>> provider = TracerProvider()
>>> exporter = MlflowSpanExporter(
...     tracking_uri="http://localhost:5000", experiment_name="agents"
... )
>>> provider.add_span_processor(BatchSpanProcessor(exporter))

Or without code:

    MLFLOW_TRACKING_URI=http://localhost:5000 OTEL_TRACES_EXPORTER=mlflow \\
        opentelemetry-instrument python app.py

MLflow shows model calls that follow the GenAI conventions as a conversation, with
reasoning, tools, tokens and cost. Its list of traces shows the first question and the
last answer, whatever the root span is. Other exporters see the spans unchanged.

Spans of `@mlflow.trace` join the application's traces, with the same ids in MLflow and
in every other backend. `opentelemetry-instrument` enables this by itself (the
instrumentation is called `mlflow` in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS). In code:

>>> from opentelemetry.exporter.mlflow import MlflowInstrumentor
>>> MlflowInstrumentor().instrument()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._missing_package import (
    MissingPackageError,
    require_extra,
)
from opentelemetry.instrumentation.exit_flush._stderr_handler import add_stderr_handler

try:
    with require_extra("mlflow", __name__):
        from opentelemetry.exporter.mlflow._content._redaction import SpanContent
        from opentelemetry.exporter.mlflow._exporter import MlflowSpanExporter
        from opentelemetry.exporter.mlflow._mapping import mlflow_attributes
        from opentelemetry.exporter.mlflow._mlflow_bridge._instrumentor import (
            MlflowInstrumentor,
        )
except MissingPackageError as error:
    _missing_package = error
    # `opentelemetry-instrument` imports this package for the names of its variables,
    # also if the exporter is not used. An error here would keep it from starting the
    # program, so the error is raised by the import of one of the names.
    if not TYPE_CHECKING:

        def __getattr__(name: str) -> Any:
            if name in __all__:
                raise _missing_package.copy()
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "MlflowInstrumentor",
    "MlflowSpanExporter",
    "SpanContent",
    "mlflow_attributes",
]

add_stderr_handler(__name__)
