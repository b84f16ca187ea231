"""The contract with MLflow: what the private names do that the bridge uses.

To be run with each version of MLflow. A version may lack a name if it has the other one
that the bridge asks for. A failure says which module of the bridge must change.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exporter.conftest import run_fake_server

from .mlflow_programs import respond_as_mlflow

PROGRAM = Path(__file__).with_name("private_names.py")


@pytest.fixture(scope="module")
def facts():
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "OTEL_"))
    }
    with run_fake_server() as server:
        server.respond = respond_as_mlflow
        output = subprocess.check_output(
            [sys.executable, PROGRAM],
            env=environment | {"MLFLOW_TRACKING_URI": server.uri},
            text=True,
            timeout=120,
        )
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize(
    ("fact", "module"),
    [
        ("should_use_otlp_exporter", "_provider_patch"),
        ("tracer_provider", "_provider_patch"),
        ("start_span_in_context", "_provider_patch"),
        ("start_detached_span", "_provider_patch"),
        ("get_mlflow_span_processor", "_span_processor_patch"),
        ("trace_id_of_the_span", "_span_processor_patch"),
        ("set_span_in_context", "_context_patch"),
        ("trace_api", "_context_patch"),
        ("mlflow_trace_propagate_to_otel_context", "_context_patch"),
        ("mlflow_runtime_context", "_parenting"),
        ("mlflow_use_default_tracer_provider", "_parenting"),
        ("in_memory_trace_manager", "_parenting"),
        ("lock_of_the_trace_manager", "_parenting"),
        ("get_prediction_context", "_parenting"),
        ("tracing_client", "_client_patch"),
        ("update_trace_info", "_fluent_trace_info"),
        ("get_trace_exporter", "_exit_flush"),
        ("async_export_queue", "_exit_flush"),
        ("get_experiment_id_from_env", "_experiment_patch"),
        ("start_span_of_autolog", "_autolog_patch"),
    ],
)
def test_private_name_of_mlflow_does_what_the_bridge_expects(facts, fact, module):
    assert facts[fact] is True, f"{module}: {facts[fact]}"
