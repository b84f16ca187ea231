"""Runs programs that import MLflow. They fail if MLflow changes a private name."""

from __future__ import annotations

import json
import textwrap

from tests.exporter.conftest import FakeServer, Response
from tests.exporter.programs import run

# What clients of MLflow request before their first span, some of them.
RESPONSES = {
    "/api/2.0/mlflow/experiments/get": {
        "experiment": {
            "experiment_id": "0",
            "name": "Default",
            "artifact_location": "mlflow-artifacts:/0",
            "lifecycle_stage": "active",
        }
    },
    "/api/2.0/mlflow/traces": {
        "trace_info": {
            "request_id": "tr-of-the-server",
            "experiment_id": "0",
            "timestamp_ms": 1,
            "status": "IN_PROGRESS",
        }
    },
}


def respond_as_mlflow(request):
    body = RESPONSES.get(request.path.partition("?")[0])
    if body is None:
        return Response()
    return Response(
        body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )


def run_mlflow_program(program, fake_server):
    """Run `program` in a new process, and return the JSON value that it prints."""
    if fake_server.respond is FakeServer.respond:
        fake_server.respond = respond_as_mlflow
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
