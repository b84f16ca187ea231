"""An agent as MLflow shows it, and as it would show it without us."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from .agents import agent
from .conftest import OPENS_A_STORE, Mlflow

pytestmark = [pytest.mark.e2e, OPENS_A_STORE]


def shown(trace):
    """What is the same in every run."""
    ids = {span.span_id: span.name for span in trace.data.spans}
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
                "parent": ids.get(span.parent_id),
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


# What a span that is no model call does not have.
NO_CALL = {"tools": None, "format": None, "tokens": None, "model": (None, None)}
# What both model calls have.
A_CALL = {
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
ASKED = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Paris?"},
]
WANTS_TOOL = {
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


def asked(*messages):
    return {"model": "deepseek-v4-flash", "messages": [*messages], "temperature": 0.2}


def answered(message):
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"model": "deepseek-v4-flash", "choices": [choice]}


def test_an_agent_as_mlflow_shows_it(mlflow, spans):
    ended = agent(spans)
    mlflow.export(ended)
    assert shown(mlflow.trace(ended[-1])) == {
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
                **NO_CALL,
            },
            {
                **A_CALL,
                "inputs": asked(*ASKED),
                "outputs": answered(WANTS_TOOL),
            },
            {
                "name": "execute_tool weather",
                "parent": "POST /ask",
                "type": "TOOL",
                "inputs": {"city": "P"},
                "outputs": {"t": 21},
                **NO_CALL,
            },
            {
                **A_CALL,
                "inputs": asked(
                    *ASKED,
                    WANTS_TOOL,
                    {"role": "tool", "tool_call_id": "c1", "content": '{"t": 21}'},
                ),
                "outputs": answered(ANSWER),
            },
        ],
    }


@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_is_the_same_however_the_spans_are_batched(server, spans, size):
    """And when a batch is sent twice, as it is after an answer that got lost."""
    ended = agent(spans)
    whole = Mlflow(server.uri)
    whole.export(ended)
    expected = shown(whole.trace(ended[-1]))

    # The spans of a trace that MLflow does not know yet: the ids are other ones.
    again = agent(spans)
    batches = [again[start : start + size] for start in range(0, 4, size)]
    server.export(*batches, batches[0])
    found = shown(server.trace(again[-1]))
    # MLflow keeps the session of the span that came first, and the root came last.
    assert (expected.pop("session"), found.pop("session")) == ("s-1", "other")
    assert found == expected


def test_the_sum_of_the_costs_is_the_cost(mlflow, spans):
    ended = agent(spans)
    mlflow.export(ended)
    trace = mlflow.trace(ended[-1])
    costs = [span.attributes.get("mlflow.llm.cost") for span in trace.data.spans]
    calls = [cost["total_cost"] for cost in costs if cost]
    assert len(calls) == 2
    assert trace.info.cost["total_cost"] == pytest.approx(sum(calls))
    assert calls[0] > 0


def test_the_same_spans_unmapped_lack_what_the_mapping_is_for(server, spans):
    """Each line is a row of the mapping. One that fails is a row to take out."""
    ended = agent(spans)
    server.export([spans.make("known")])
    plain = OTLPSpanExporter(
        endpoint=f"{server.uri}/v1/traces",
        headers={"x-mlflow-experiment-id": server.experiment_id},
    )
    plain.export(ended)
    plain.shutdown()
    trace = server.trace(ended[-1])
    root, call, *_ = trace.data.spans

    # mlflow.spanType; and CHAIN on the root
    assert server.found("span.type = 'CHAT_MODEL'") == []
    assert root.span_type is None
    # mlflow.spanInputs, mlflow.spanOutputs: a part `reasoning` breaks the chat view
    assert isinstance(call.inputs, list)
    assert call.outputs[0]["parts"][0]["type"] == "reasoning"
    # and of the root: previews
    assert not trace.info.request_preview
    assert not trace.info.response_preview
    # mlflow.traceTag.mlflow.traceName
    assert "mlflow.traceName" not in trace.info.tags
    # mlflow.message.format
    assert "mlflow.message.format" not in call.attributes
    # mlflow.chat.tools
    assert "function" not in call.attributes["mlflow.chat.tools"][0]
    # the messages are there twice
    assert call.attributes["gen_ai.input.messages"] == call.inputs
    # session.id of the root on every span
    assert trace.info.trace_metadata["mlflow.trace.session"] == "other"
    # user.id
    assert "mlflow.trace.user" not in trace.info.trace_metadata
    # What the mapping leaves to the server.
    assert trace.info.token_usage["cache_read_input_tokens"] == 1200
    assert trace.data.spans[2].inputs == {"city": "P"}
