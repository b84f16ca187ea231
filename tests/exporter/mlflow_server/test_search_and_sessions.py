"""The filters of MLflow's pages: names, span types, sessions and users."""

from __future__ import annotations

import pytest
from dirty_equals import IsStr
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from .agent_spans import make_agent_spans
from .conftest import FAILURE

pytestmark = pytest.mark.e2e


def test_filters_of_the_pages_find_the_trace(server, spans):
    server.export(make_agent_spans(spans), [spans.make("other")])
    for filter_string in (
        "trace.name = 'POST /ask'",
        "span.type = 'CHAT_MODEL'",
        "span.type = 'TOOL'",
        "metadata.`mlflow.trace.session` = 's-1'",
        "metadata.`mlflow.trace.user` = 'ann'",
        "span.attributes.`mlflow.spanOutputs` LIKE '%21 °C.%'",
    ):
        assert server.search_names(filter_string) == ["POST /ask"], filter_string
    assert server.search_names("span.type = 'CHAIN'") == ["POST /ask", "other"]
    assert server.search_names("trace.status = 'OK'") == ["POST /ask", "other"]


def test_session_that_mlflow_refuses_is_truncated(server, spans):
    span = spans.make("root", {"gen_ai.conversation.id": "s" * 251})
    server.export([spans.make("creates the experiment")])
    otlp_exporter = OTLPSpanExporter(
        endpoint=f"{server.uri}/v1/traces",
        headers={"x-mlflow-experiment-id": server.experiment_id},
    )
    assert otlp_exporter.export([span]) is FAILURE
    otlp_exporter.shutdown()
    server.export([span])
    session = server.read_trace(span).info.trace_metadata["mlflow.trace.session"]
    assert session == IsStr(regex="s{233}-[0-9a-f]{16}")


def test_traces_of_each_operation_can_be_searched_by_span_type(server, spans):
    operations = {
        "chat": "CHAT_MODEL",
        "create_agent": "AGENT",
        "embeddings": "EMBEDDING",
        "execute_tool": "TOOL",
        "generate_content": "LLM",
        "invoke_agent": "AGENT",
        "invoke_workflow": "WORKFLOW",
        "retrieval": "RETRIEVER",
        "text_completion": "LLM",
    }
    server.export(
        [spans.make(name, {"gen_ai.operation.name": name}) for name in operations]
        + [spans.make("job")]
    )
    for span_type in {*operations.values()}:
        assert server.search_names(f"span.type = '{span_type}'") == sorted(
            name for name in operations if operations[name] == span_type
        )
    assert server.search_names("span.type = 'CHAIN'") == ["job"]


def test_empty_span_type_of_mlflow_is_replaced(server, spans):
    attributes = {"gen_ai.operation.name": "chat", "mlflow.spanType": "null"}
    span = spans.make("chat", attributes)
    server.export([span])
    assert server.read_trace(span).data.spans[0].span_type == "CHAT_MODEL"
