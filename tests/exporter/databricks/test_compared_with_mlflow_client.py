"""The exporter sends the same requests as MLflow's client.

Each of them sends to its own fake workspace. No real workspace was used.
"""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict

from tests.exporter.programs import run

from .fake_databricks import fake_databricks
from .workspace_contents import (
    OTLP,
    STORAGE,
    TRACE_INFO_V3,
    TRACE_INFO_V4,
    table_spans_by_id,
)

# MLflow's client sends to its tracking URI. The exporter gets the same spans, with the
# same ids, and sends them to another workspace.
PROGRAM = """
import mlflow
from mlflow.entities import SpanType
from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.get_empty())
exporter = MlflowSpanExporter(
    tracking_uri="databricks://exporter", experiment_name="/Shared/deepseek-demo"
)
provider.add_span_processor(BatchSpanProcessor(exporter))
MlflowInstrumentor().instrument(tracer_provider=provider)

mlflow.set_tracking_uri("databricks://client")
mlflow.set_experiment("/Shared/deepseek-demo")


@mlflow.trace(span_type=SpanType.TOOL)
def weather(city):
    if city == "Nowhere":
        raise LookupError("no such city: ü")
    return {"t": 21, "city": city}


@mlflow.trace(span_type=SpanType.AGENT)
def ask(question):
    with mlflow.start_span("chat", span_type=SpanType.CHAT_MODEL) as span:
        span.set_inputs(
            {"messages": [{"role": "user", "content": question}], "model": "m"}
        )
        span.set_outputs(
            {"choices": [{"message": {"role": "assistant", "content": "21 °C"}}]}
        )
        usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
        usage["cache_read_input_tokens"] = 1
        span.set_attribute("mlflow.chat.tokenUsage", usage)
        span.set_attributes({"number": 1, "text": "x", "list": [1, 2], "map": {"a": 1}})
    weather("Paris")
    try:
        weather("Nowhere")
    except LookupError:
        pass
    return "In Paris it is 21 °C. " + "Really. " * 60


ask("How warm is it?")
mlflow.flush_trace_async_logging()
provider.shutdown()
assert exporter.dropped_spans == 0
"""


# Metadata about the program and its user, which do not come from spans.
PROGRAM_METADATA = ("mlflow.source.", "mlflow.user")


@pytest.fixture
def run_program(databricks, monkeypatch, tmp_path):
    """A function that runs the program.

    Returns the workspace of MLflow's client and the workspace of the exporter.
    """

    def run_program(table_prefix):
        with fake_databricks() as exporter_workspace:
            exporter_workspace.table_prefix = table_prefix
            databricks.table_prefix = table_prefix
            (tmp_path / ".databrickscfg").write_text(
                f"[exporter]\nhost = {exporter_workspace.uri}\ntoken = dapi-pat\n"
                f"[client]\nhost = {databricks.uri}\ntoken = dapi-pat\n"
            )
            # These variables would take precedence over the profile.
            monkeypatch.delenv("DATABRICKS_HOST")
            monkeypatch.delenv("DATABRICKS_TOKEN")
            run(PROGRAM, HOME=str(tmp_path), MLFLOW_DISABLE_TELEMETRY="true")
            return databricks, exporter_workspace

    return run_program


def sent_trace_info(workspace, path):
    (request,) = workspace.requests_to(path)
    trace_info = (
        request.body["trace"]["trace_info"] if path == TRACE_INFO_V3 else request.body
    )
    metadata = trace_info["trace_metadata"]
    compared = {
        name: value
        for name, value in metadata.items()
        if not name.startswith(PROGRAM_METADATA)
    }
    # The total size includes TraceInfo, and with it the metadata of the program.
    assert int(compared.pop("mlflow.trace.sizeBytes")) > 1_000
    size_stats = json.loads(compared["mlflow.trace.sizeStats"])
    assert size_stats.pop("total_size_bytes") > 1_000
    compared["mlflow.trace.sizeStats"] = size_stats
    return trace_info | {"trace_metadata": compared}


def test_experiment_gets_same_trace_as_from_mlflow_client(run_program):
    client, exporter = run_program(None)
    assert sent_trace_info(exporter, TRACE_INFO_V3) == sent_trace_info(
        client, TRACE_INFO_V3
    )
    assert sent_trace_info(exporter, TRACE_INFO_V3)["trace_metadata"] == IsPartialDict(
        {
            "mlflow.trace.tokenUsage": '{"input_tokens": 3, "output_tokens": 2, '
            '"total_tokens": 5, "cache_read_input_tokens": 1}'
        }
    )
    assert exporter.storage.files.keys() == client.storage.files.keys()
    (exporter_file,), (client_file,) = (
        exporter.storage.files.values(),
        client.storage.files.values(),
    )
    assert json.loads(exporter_file) == json.loads(client_file)
    assert len(json.loads(exporter_file)["spans"]) == 4
    for workspace in (exporter, client):
        assert (
            workspace.requests_to(TRACE_INFO_V3)[0].headers["content-type"]
            == "application/json"
        )
        assert [request.method for request in workspace.requests_to(STORAGE)] == ["PUT"]


def test_tables_get_same_trace_as_from_mlflow_client(run_program):
    client, exporter = run_program("main.agents.ds")
    assert sent_trace_info(exporter, TRACE_INFO_V4) == sent_trace_info(
        client, TRACE_INFO_V4
    )
    exporter_spans, client_spans = (
        table_spans_by_id(exporter),
        table_spans_by_id(client),
    )
    assert len(exporter_spans) == 4
    for span in exporter_spans.values():
        # MLflow's client does not send these fields.
        assert span.pop("kind") == "SPAN_KIND_INTERNAL"
        assert span.pop("flags", 256) in (256, 257)
    assert exporter_spans == client_spans
    for workspace in (exporter, client):
        headers = workspace.requests_to(OTLP)[0].headers
        assert headers["x-databricks-uc-table-name"] == "main.agents.ds_otel_spans"
        assert headers["content-type"] == "application/x-protobuf"
        assert (
            workspace.requests_to(TRACE_INFO_V3) == workspace.requests_to(STORAGE) == []
        )
