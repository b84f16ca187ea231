"""Exported traces, as MLflow reads them."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .agent_trace import agent_trace
from .destination import translate
from .fake_databricks import EXPERIMENT, EXPERIMENT_ID
from .fake_storage import CREDENTIAL_TYPES


@pytest.mark.parametrize("credential_type", CREDENTIAL_TYPES)
def test_mlflow_reads_exported_trace(databricks, monkeypatch, spans, credential_type):
    import mlflow

    databricks.storage.credential_type = credential_type
    exporter = MlflowSpanExporter(tracking_uri="databricks", experiment_name=EXPERIMENT)
    finished = agent_trace(spans)
    exporter.export(finished)
    exporter.shutdown()
    assert exporter.dropped_spans == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", EXPERIMENT_ID)
    trace = mlflow.get_trace(f"tr-{finished[-1].context.trace_id:032x}")
    assert trace.info.state.value == "OK"
    assert trace.info.request_preview == "Wie heißt 🐘?"
    assert trace.info.response_preview == "Elefant."
    assert trace.info.tags["mlflow.traceName"] == "POST /ask"
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-1"
    assert trace.info.trace_metadata["mlflow.trace.user"] == "ann"
    assert trace.info.token_usage == {
        "input_tokens": 12,
        "output_tokens": 3,
        "total_tokens": 15,
        "cache_read_input_tokens": 4,
    }
    assert trace.info.cost["total_cost"] == 3e-06
    root, chat, tool = trace.data.spans
    assert [span.span_type for span in trace.data.spans] == [
        "CHAIN",
        "CHAT_MODEL",
        "TOOL",
    ]
    assert chat.inputs["messages"] == [{"role": "user", "content": "Wie heißt 🐘?"}]
    assert chat.outputs["choices"][0]["message"]["content"] == "Elefant."
    assert chat.model_name == "deepseek-v4-flash"
    assert chat.attributes["mlflow.llm.provider"] == "deepseek"
    assert (tool.inputs, tool.outputs) == ({"city": "P"}, {"t": 21})
    assert tool.parent_id == chat.parent_id == root.span_id
    assert [event.name for event in tool.events] == ["seen"]


def test_attributes_equal_those_of_mlflow_server(spans):
    """Compares with MLflow's own translation, whose name is private and may change."""
    from mlflow.entities import Span
    from mlflow.tracing.otel.translation import translate_span_when_storing
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    from opentelemetry.exporter.mlflow._trace_info._trace_data import trace_spans

    for span in translate(agent_trace(spans)):
        (resource_spans,) = encode_spans([span]).resource_spans
        mlflow_span = Span.from_otel_proto(resource_spans.scope_spans[0].spans[0])
        expected = {
            name: json.loads(text)
            for name, text in translate_span_when_storing(mlflow_span)[
                "attributes"
            ].items()
            if not name.startswith("mlflow.traceTag.")
        }
        (trace_span,) = trace_spans([span], expected["mlflow.traceRequestId"])
        assert trace_span.values == {"mlflow.spanType": "UNKNOWN"} | expected
