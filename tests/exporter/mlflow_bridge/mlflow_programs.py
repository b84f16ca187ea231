"""Programs with MLflow in them, which fail when a private name of its moves."""

from __future__ import annotations

import json
import textwrap

from tests.exporter.programs import run


def run_mlflow_program(program, fake_server):
    """What `program` prints, as JSON, in a process of its own."""
    output = run(
        PROLOGUE + textwrap.dedent(program), MLFLOW_TRACKING_URI=fake_server.uri
    )
    return json.loads(output.splitlines()[-1])


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
