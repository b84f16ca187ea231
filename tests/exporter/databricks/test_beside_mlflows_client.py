"""One trace of two senders in one program: MLflow's own client, and us."""

from __future__ import annotations

import json

import pytest

from tests.exporter.programs import run

from .received import ROW, in_tables

TOGETHER = """
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
    ("linked", "order"),
    [(None, 1), (None, -1), ("main.agents.ds", 1)],
    ids=["ours first", "theirs first", "tables"],
)
def test_beside_mlflows_client_a_trace_is_whole_and_stands_there_once(
    databricks, linked, order
):
    databricks.linked = linked
    run(TOGETHER.replace("ORDER", str(order)), MLFLOW_DISABLE_TELEMETRY="true")
    if linked:
        names = [span["name"] for span in in_tables(databricks)]
    else:
        (content,) = databricks.blobs.values()
        names = [span["name"] for span in json.loads(content)["spans"]]
        rows = [sent.body["trace"]["trace_info"] for sent in databricks.sent(ROW)]
        assert {row["tags"].get("desk") for row in rows} >= {"north"}
    assert sorted(names) == ["POST /ask", "agent", "chat", "tool"]
