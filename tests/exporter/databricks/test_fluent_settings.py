"""What the program tells MLflow about a trace, in a workspace."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict

from tests.exporter.programs import run

from .fake_databricks import EXPERIMENT_ID
from .workspace_contents import sent_trace_infos, table_spans

PROGRAM = """
import mlflow
from mlflow.entities.trace_location import MlflowExperimentLocation
from mlflow.tracking import fluent
from types import SimpleNamespace
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
exporter = MlflowSpanExporter(experiment_name="/Shared/deepseek-demo")
provider.add_span_processor(BatchSpanProcessor(exporter))
mlflow.set_tracking_uri("databricks")
tracer = provider.get_tracer("app")


def call(name):
    span = tracer.start_span(name, attributes={"gen_ai.operation.name": "chat"})
    span.set_attribute("mlflow.spanInputs", '{"card": "4111"}')
    span.end()


def redact(span):
    span.set_inputs({"card": "[card]"})


call("before")
# The workspace of the test has no runs and no models.
info = SimpleNamespace(run_id="r1", experiment_id="EXPERIMENT", start_time=1)
fluent.active_run = lambda: SimpleNamespace(info=info)
fluent.get_active_model_id = lambda: "m-1"
mlflow.tracing.configure(span_processors=[redact])
with mlflow.tracing.context(
    session_id="s1", user="ada", tags={"team": "red"}, metadata={"build": "7"}
):
    call("within")
mlflow.tracing.set_destination(MlflowExperimentLocation(experiment_id="9"))
call("elsewhere")
mlflow.tracing.disable()
call("disabled")
provider.shutdown()
assert exporter.dropped_spans == 0
"""


def run_program(databricks):
    databricks.add_experiment("/Shared/other", "9")
    program = PROGRAM.replace("EXPERIMENT", EXPERIMENT_ID)
    run(program, MLFLOW_DISABLE_TELEMETRY="true")


@pytest.fixture
def trace_infos(databricks):
    run_program(databricks)
    return {
        info["tags"]["mlflow.traceName"]: info for info in sent_trace_infos(databricks)
    }


def experiment_id(trace_info):
    return trace_info["trace_location"]["mlflow_experiment"]["experiment_id"]


def test_trace_has_what_the_program_told_mlflow(trace_infos):
    within = trace_infos["within"]
    assert within["trace_metadata"] == IsPartialDict(
        {
            "mlflow.sourceRun": "r1",
            "mlflow.modelId": "m-1",
            "mlflow.trace.session": "s1",
            "mlflow.trace.user": "ada",
            "build": "7",
        }
    )
    assert within["tags"] == IsPartialDict({"team": "red"})
    assert within["request_preview"] == '{"card": "[card]"}'
    assert "mlflow.sourceRun" not in trace_infos["before"]["trace_metadata"]


def test_trace_is_in_the_experiment_that_the_program_chose(trace_infos):
    experiment_ids = {name: experiment_id(info) for name, info in trace_infos.items()}
    assert experiment_ids == {
        "before": EXPERIMENT_ID,
        "within": EXPERIMENT_ID,
        "elsewhere": "9",
    }


def test_content_is_redacted_in_the_stored_trace(databricks, trace_infos):
    inputs = {
        span["name"]: span["attributes"]["mlflow.spanInputs"]
        for content in databricks.storage.files.values()
        for span in json.loads(content)["spans"]
    }
    assert inputs.keys() == trace_infos.keys()
    assert inputs["within"] == inputs["elsewhere"] == '{"card": "[card]"}'


def test_tables_have_what_the_program_told_mlflow(databricks):
    databricks.table_prefix = "main.agents.ds"
    run_program(databricks)
    names = {span["name"] for span in table_spans(databricks)}
    assert names >= {"before", "within"}
    (within,) = [
        info
        for info in databricks.table_trace_infos.values()
        if info["trace_metadata"].get("build") == "7"
    ]
    assert within["trace_metadata"]["mlflow.sourceRun"] == "r1"
