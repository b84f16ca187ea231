"""The trace of an agent in MLflow, with the exporter and with OTLP only."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from .agent_spans import make_agent_spans
from .conftest import IGNORE_STORE_WARNING, Mlflow

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]


def summary(trace):
    """The parts of the trace that are equal in each run."""
    names_by_id = {span.span_id: span.name for span in trace.data.spans}
    info = trace.info
    return {
        "state": info.state.value,
        "previews": (info.request_preview, info.response_preview),
        "name": info.tags["mlflow.traceName"],
        "session": info.trace_metadata.get("mlflow.trace.session"),
        "user": info.trace_metadata.get("mlflow.trace.user"),
        "tokens": info.token_usage,
        "spans": [
            {
                "name": span.name,
                "parent": names_by_id.get(span.parent_id),
                "type": span.span_type,
                "inputs": span.inputs,
                "outputs": span.outputs,
                "tools": span.attributes.get("mlflow.chat.tools"),
                "format": span.attributes.get("mlflow.message.format"),
                "tokens": span.attributes.get("mlflow.chat.tokenUsage"),
                "model": (span.model_name, span.attributes.get("mlflow.llm.provider")),
            }
            for span in trace.data.spans
        ],
    }


# Fields of spans that are not model calls.
NO_MODEL_CALL = {"tools": None, "format": None, "tokens": None, "model": (None, None)}
# Fields that both model calls have in common.
MODEL_CALL = {
    "name": "chat deepseek-v4-flash",
    "parent": "POST /ask",
    "type": "CHAT_MODEL",
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Weather of a city",
                "parameters": {"type": "object"},
            },
        }
    ],
    "format": "openai",
    "tokens": {
        "input_tokens": 1000,
        "output_tokens": 100,
        "total_tokens": 1100,
        "cache_read_input_tokens": 600,
    },
    "model": ("deepseek-v4-flash", "deepseek"),
}
PROMPT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Paris?"},
]
TOOL_CALL = {
    "role": "assistant",
    "content": "",
    "reasoning": "I need the tool.",
    "tool_calls": [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "P"}'},
        }
    ],
}
ANSWER = {"role": "assistant", "content": "21 °C."}


def chat_request(*messages):
    return {"model": "deepseek-v4-flash", "messages": [*messages], "temperature": 0.2}


def chat_response(message):
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"model": "deepseek-v4-flash", "choices": [choice]}


def test_trace_of_an_agent_in_mlflow(mlflow, spans):
    finished_spans = make_agent_spans(spans)
    mlflow.export(finished_spans)
    assert summary(mlflow.read_trace(finished_spans[-1])) == {
        "state": "OK",
        "previews": ("Paris?", "21 °C."),
        "name": "POST /ask",
        "session": "s-1",
        "user": "ann",
        "tokens": {
            "input_tokens": 2000,
            "output_tokens": 200,
            "total_tokens": 2200,
            "cache_read_input_tokens": 1200,
        },
        "spans": [
            {
                "name": "POST /ask",
                "parent": None,
                "type": "CHAIN",
                "inputs": {"messages": [{"role": "user", "content": "Paris?"}]},
                "outputs": {"choices": [{"message": ANSWER}]},
                **NO_MODEL_CALL,
            },
            {
                **MODEL_CALL,
                "inputs": chat_request(*PROMPT),
                "outputs": chat_response(TOOL_CALL),
            },
            {
                "name": "execute_tool weather",
                "parent": "POST /ask",
                "type": "TOOL",
                "inputs": {"city": "P"},
                "outputs": {"t": 21},
                **NO_MODEL_CALL,
            },
            {
                **MODEL_CALL,
                "inputs": chat_request(
                    *PROMPT,
                    TOOL_CALL,
                    {"role": "tool", "tool_call_id": "c1", "content": '{"t": 21}'},
                ),
                "outputs": chat_response(ANSWER),
            },
        ],
    }


@pytest.mark.parametrize("size", [1, 2, 3])
def test_trace_is_the_same_for_any_size_of_batches(server, spans, size):
    """One batch is sent twice, as after a response that was lost."""
    finished_spans = make_agent_spans(spans)
    single_batch = Mlflow(server.uri)
    single_batch.export(finished_spans)
    expected = summary(single_batch.read_trace(finished_spans[-1]))

    # The same spans with new ids, which MLflow has not stored yet.
    finished_spans = make_agent_spans(spans)
    batches = [finished_spans[start : start + size] for start in range(0, 4, size)]
    server.export(*batches, batches[0])
    result = summary(server.read_trace(finished_spans[-1]))
    # MLflow keeps the session of the span that arrives first. The root arrives last.
    assert (expected.pop("session"), result.pop("session")) == ("s-1", "other")
    assert result == expected


def test_cost_of_a_trace_is_the_sum_of_its_calls(mlflow, spans):
    finished_spans = make_agent_spans(spans)
    mlflow.export(finished_spans)
    trace = mlflow.read_trace(finished_spans[-1])
    costs = [span.attributes.get("mlflow.llm.cost") for span in trace.data.spans]
    calls = [cost["total_cost"] for cost in costs if cost]
    assert len(calls) == 2
    assert trace.info.cost["total_cost"] == pytest.approx(sum(calls))
    assert calls[0] > 0


def test_unmapped_spans_lack_what_each_row_of_the_mapping_adds(server, spans):
    """If an assertion fails, MLflow does not need that row of the mapping any more."""
    finished_spans = make_agent_spans(spans)
    server.export([spans.make("creates the experiment")])
    otlp_exporter = OTLPSpanExporter(
        endpoint=f"{server.uri}/v1/traces",
        headers={"x-mlflow-experiment-id": server.experiment_id},
    )
    otlp_exporter.export(finished_spans)
    otlp_exporter.shutdown()
    trace = server.read_trace(finished_spans[-1])
    root, call, *_ = trace.data.spans

    # mlflow.spanType, which is CHAIN on the root
    assert server.search_names("span.type = 'CHAT_MODEL'") == []
    assert root.span_type is None
    # mlflow.spanInputs and mlflow.spanOutputs: a reasoning part breaks the chat view
    assert isinstance(call.inputs, list)
    assert call.outputs[0]["parts"][0]["type"] == "reasoning"
    # mlflow.spanInputs and mlflow.spanOutputs of the root: the previews
    assert not trace.info.request_preview
    assert not trace.info.response_preview
    # mlflow.traceTag.mlflow.traceName
    assert "mlflow.traceName" not in trace.info.tags
    # mlflow.message.format
    assert "mlflow.message.format" not in call.attributes
    # mlflow.chat.tools
    assert "function" not in call.attributes["mlflow.chat.tools"][0]
    # replaced attributes: the messages are stored twice
    assert call.attributes["gen_ai.input.messages"] == call.inputs
    # session.id of the root on each span
    assert trace.info.trace_metadata["mlflow.trace.session"] == "other"
    # user.id
    assert "mlflow.trace.user" not in trace.info.trace_metadata
    # The server reads these without the mapping.
    assert trace.info.token_usage["cache_read_input_tokens"] == 1200
    assert trace.data.spans[2].inputs == {"city": "P"}
