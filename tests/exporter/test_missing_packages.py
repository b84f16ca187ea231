"""Errors for packages that are not installed. Each program runs in a new process."""

from __future__ import annotations

import pytest

from .programs import run

COMMAND = "pip install 'opentelemetry-instrumentation-deepseek[{}]'"
WITHOUT_MODULE = """
import sys
sys.modules[{module!r}] = None  # An import of it raises ModuleNotFoundError.
try:
    from opentelemetry.exporter.mlflow import MlflowSpanExporter
    MlflowSpanExporter({arguments})
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("requests", "tracking_uri='http://localhost:5000'", "mlflow"),
        ("requests", "endpoint='http://localhost:4319'", "mlflow"),
        (
            "opentelemetry.exporter.otlp.proto.http",
            "tracking_uri='https://localhost'",
            "mlflow",
        ),
        (
            "opentelemetry.exporter.otlp.proto.common.trace_encoder",
            "tracking_uri='sqlite:///mlflow.db'",
            "mlflow",
        ),
        ("requests", "tracking_uri='databricks', experiment_name='/a'", "databricks"),
        (
            "databricks.sdk",
            "tracking_uri='databricks', experiment_name='/a'",
            "databricks",
        ),
        ("opentelemetry.sdk", "", "mlflow"),
    ],
)
def test_missing_package_is_reported_with_the_command_that_installs_it(
    module, arguments, extra
):
    program = WITHOUT_MODULE.format(module=module, arguments=arguments)
    (message,) = run(program).splitlines()
    assert message.endswith(f": {COMMAND.format(extra)}")


def test_without_the_extra_only_the_import_of_a_name_fails():
    """`opentelemetry-instrument` imports the variables in every program."""
    program = """
import sys
sys.modules["google.protobuf.message"] = None
import opentelemetry.exporter.mlflow as package
import opentelemetry.exporter.mlflow.environment_variables
for name in ("MlflowInstrumentor", "unknown"):
    try:
        getattr(package, name)
    except (AttributeError, ModuleNotFoundError) as error:
        print(type(error).__name__, error)
"""
    missing, unknown = run(program).splitlines()
    assert missing.startswith("MissingPackageError ")
    assert missing.endswith(f": {COMMAND.format('mlflow')}")
    assert unknown.startswith("AttributeError ")


def test_command_without_the_extra_prints_the_command_that_installs_it():
    program = """
import runpy, sys
sys.modules["google.protobuf.message"] = None
try:
    runpy.run_module("opentelemetry.exporter.mlflow", run_name="__main__")
except SystemExit as error:
    print(error)
"""
    (message,) = run(program).splitlines()
    assert message.endswith(f": {COMMAND.format('mlflow')}")


def test_local_store_is_the_default_even_if_no_package_for_it_is_installed():
    """The application may select a server later."""
    program = WITHOUT_MODULE.format(module="sqlalchemy", arguments="")
    assert run(program) == ""


def test_package_that_is_needed_for_some_spans_is_reported_with_the_command():
    program = """
import sys
sys.modules["jiter"] = None
from opentelemetry.exporter.mlflow import mlflow_attributes
try:
    mlflow_attributes({"gen_ai.input.messages": '[{"role": "user", "parts": [{"type"'})
except ModuleNotFoundError as error:
    print(error)
"""
    assert run(program).endswith(f": {COMMAND.format('mlflow')}\n")


def test_log_line_for_local_store_names_mlflow_tracking_uri_once():
    program = """
import logging, sys
sys.modules["sqlalchemy"] = None
logging.basicConfig(stream=sys.stdout)
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(MlflowSpanExporter()))
provider.get_tracer("t").start_span("s").end()
provider.shutdown()
"""
    error, summary = run(program).splitlines()
    assert error.count("MLFLOW_TRACKING_URI") == 1
    assert error.count("pip install mlflow") == 1
    assert "MLFLOW_TRACKING_URI" not in summary
    assert summary.endswith("1 (A local MLflow store requires the full mlflow package)")
