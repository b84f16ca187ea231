"""What MLflow's pages filter by: names, types, sessions and users."""

from __future__ import annotations

import pytest
from dirty_equals import IsStr
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from .agents import agent
from .conftest import FAILURE

pytestmark = pytest.mark.e2e


def test_searches_find_what_the_pages_filter_by(server, spans):
    server.export(agent(spans), [spans.make("other")])
    for condition in (
        "trace.name = 'POST /ask'",
        "span.type = 'CHAT_MODEL'",
        "span.type = 'TOOL'",
        "metadata.`mlflow.trace.session` = 's-1'",
        "metadata.`mlflow.trace.user` = 'ann'",
        "span.attributes.`mlflow.spanOutputs` LIKE '%21 °C.%'",
    ):
        assert server.found(condition) == ["POST /ask"], condition
    assert server.found("span.type = 'CHAIN'") == ["POST /ask", "other"]
    assert server.found("trace.status = 'OK'") == ["POST /ask", "other"]


def test_a_session_that_mlflow_would_refuse_is_made_fit(server, spans):
    span = spans.make("root", {"gen_ai.conversation.id": "s" * 251})
    server.export([spans.make("known")])
    plain = OTLPSpanExporter(
        endpoint=f"{server.uri}/v1/traces",
        headers={"x-mlflow-experiment-id": server.experiment_id},
    )
    assert plain.export([span]) is FAILURE
    plain.shutdown()
    server.export([span])
    kept = server.trace(span).info.trace_metadata["mlflow.trace.session"]
    assert kept == IsStr(regex="s{233}-[0-9a-f]{16}")


def test_every_operation_has_its_type_in_the_database_too(server, spans):
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
        assert server.found(f"span.type = '{span_type}'") == sorted(
            name for name in operations if operations[name] == span_type
        )
    assert server.found("span.type = 'CHAIN'") == ["job"]


def test_a_stamp_of_mlflow_does_not_hide_the_type(server, spans):
    stamped = {"gen_ai.operation.name": "chat", "mlflow.spanType": "null"}
    span = spans.make("chat", stamped)
    server.export([span])
    assert server.trace(span).data.spans[0].span_type == "CHAT_MODEL"
