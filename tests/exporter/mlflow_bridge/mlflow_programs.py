"""Runs programs that import MLflow. They fail if MLflow changes a private name."""

from __future__ import annotations

import json
import textwrap

from tests.exporter.programs import run


def run_mlflow_program(program, fake_server):
    """Run `program` in a new process, and return the JSON value that it prints."""
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

memory_exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory_exporter))
trace.set_tracer_provider(provider)
exporter = MlflowSpanExporter()
"""
