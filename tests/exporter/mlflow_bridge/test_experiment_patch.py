"""The experiment lookup of MLflow when another client creates the experiment."""

from __future__ import annotations

import logging
import types

import pytest

from opentelemetry.exporter.mlflow._mlflow_bridge import _experiment_patch
from tests.exporter.destinations.experiments_api import ExperimentsApi

from .mlflow_programs import run_mlflow_program

PROGRAM = """
    os.environ["MLFLOW_EXPERIMENT_NAME"] = "new"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    {instrument}
    import mlflow
    with mlflow.start_span("agent") as span:
        print(json.dumps(type(span).__name__))
    os._exit(0)
"""


@pytest.mark.parametrize(
    ("instrument", "span_type"),
    [("", "NoOpSpan"), ("MlflowInstrumentor().instrument()", "LiveSpan")],
    ids=["without instrumentation", "with instrumentation"],
)
def test_instrumentation_preserves_the_first_span_in_a_creation_race(
    fake_server, instrument, span_type
):
    fake_server.respond = ExperimentsApi(loses_creation_race=True)
    program = PROGRAM.format(instrument=instrument)
    assert run_mlflow_program(program, fake_server) == span_type


def create_fluent_module(error):
    """Return a patched module whose experiment lookup raises `error`."""
    module = types.ModuleType("mlflow.tracking.fluent")

    def look_up_experiment():
        module.call_count += 1
        raise error

    module.call_count = 0
    module._get_experiment_id_from_env = look_up_experiment
    _experiment_patch.patch_experiment_lookup(module)
    return module


@pytest.mark.parametrize(
    ("error_code", "call_count"), [("RESOURCE_ALREADY_EXISTS", 2), (None, 1)]
)
def test_only_a_conflict_is_retried(error_code, call_count):
    error = LookupError()
    error.error_code = error_code
    module = create_fluent_module(error)
    with pytest.raises(LookupError) as raised:
        module._get_experiment_id_from_env()
    assert raised.value is error
    assert module.call_count == call_count


def test_a_missing_lookup_function_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        _experiment_patch.patch_experiment_lookup(
            types.ModuleType("mlflow.tracking.fluent")
        )
    (record,) = caplog.records
    assert record.getMessage() == (
        "MLflow may drop the first span of @mlflow.trace if the experiment "
        "MLFLOW_EXPERIMENT_NAME does not exist, because this version of MLflow lacks "
        "what the integration of @mlflow.trace uses (AttributeError: module "
        "'mlflow.tracking.fluent' has no attribute '_get_experiment_id_from_env'). "
        "Create the experiment beforehand."
    )
