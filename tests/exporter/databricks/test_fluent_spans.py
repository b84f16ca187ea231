"""Traces with fluent spans, which MLflow's client and the exporter both send."""

from __future__ import annotations

import json

import pytest

from tests.exporter.programs import run

from .workspace_contents import sent_trace_infos, table_spans

PROGRAM = """
import mlflow
from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
exporter = MlflowSpanExporter(experiment_name="/Shared/deepseek-demo")
provider.add_span_processor(BatchSpanProcessor(exporter))
MlflowInstrumentor().instrument(tracer_provider=provider)
mlflow.set_tracking_uri("databricks")
mlflow.set_experiment("/Shared/deepseek-demo")
tracer = provider.get_tracer("app")

with tracer.start_as_current_span("POST /ask"):
    with mlflow.start_span("agent"):
        mlflow.update_current_trace(tags={"desk": "north"})
        with tracer.start_as_current_span("chat"):
            pass
        with mlflow.start_span("tool"):
            pass
for flush in (provider.force_flush, mlflow.flush_trace_async_logging)[::ORDER]:
    flush()
assert exporter.dropped_spans == 0
"""


@pytest.mark.parametrize(
    ("table_prefix", "order"),
    [(None, 1), (None, -1), ("main.agents.ds", 1)],
    ids=["exporter first", "client first", "tables"],
)
def test_trace_with_fluent_spans_is_stored_once_and_complete(
    databricks, table_prefix, order
):
    databricks.table_prefix = table_prefix
    run(PROGRAM.replace("ORDER", str(order)), MLFLOW_DISABLE_TELEMETRY="true")
    if table_prefix:
        names = [span["name"] for span in table_spans(databricks)]
    else:
        (content,) = databricks.storage.files.values()
        names = [span["name"] for span in json.loads(content)["spans"]]
        trace_infos = sent_trace_infos(databricks)
        assert {info["tags"].get("desk") for info in trace_infos} >= {"north"}
    assert sorted(names) == ["POST /ask", "agent", "chat", "tool"]
