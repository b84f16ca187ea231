"""The span trees of an agent in MLflow and at the OTLP endpoint, and their checks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mlflow.entities import Trace

    from examples.otlp_receiver import OtlpReceiver
    from examples.simulator import Simulator

QUESTION = "What's the weather like in Paris today?"
ANSWER = "In Paris it is The weather in Paris is always sunny."
CHAT = "chat deepseek-v4-flash"


@dataclass(frozen=True)
class AgentRun:
    receiver: OtlpReceiver
    simulator: Simulator
    traces: list[Trace]
    output: str
    errors: str = ""

    @property
    def trace(self) -> Trace:
        (trace,) = self.traces
        return trace

    @property
    def mlflow_trees(self):
        return span_trees(
            [
                (span.name, span.trace_id[3:], span.span_id, span.parent_id or "")
                for trace in self.traces
                for span in trace.data.spans
            ]
        )

    @property
    def otlp_trees(self):
        return span_trees(span_ids(self.receiver.spans))


def span_ids(spans):
    return [(span.name, span.trace_id, span.span_id, span.parent_id) for span in spans]


def span_trees(spans):
    """Returns the sorted root spans: a name, or a pair of name and children."""
    span_id_set = {span_id for _, _, span_id, _ in spans}

    def children(parent):
        nodes = [
            (name, children(span_id)) if children(span_id) else name
            for name, _, span_id, parent_id in spans
            if parent_id == parent
        ]
        return sorted(nodes, key=str)

    assert all(parent in span_id_set for _, _, _, parent in spans if parent)
    return children("")


def billed_tokens(simulator, name):
    return sum(exchange.usage[name] for exchange in simulator.exchanges)


def assert_billed_totals(run):
    """Asserts that MLflow's totals are what the simulator billed."""
    usages = [trace.info.token_usage for trace in run.traces]
    assert {
        name: sum(usage[name] for usage in usages)
        for name in ("input_tokens", "output_tokens", "total_tokens")
    } == {
        "input_tokens": billed_tokens(run.simulator, "prompt_tokens"),
        "output_tokens": billed_tokens(run.simulator, "completion_tokens"),
        "total_tokens": billed_tokens(run.simulator, "total_tokens"),
    }
    for trace in run.traces:
        costs = [span_cost(span) for span in model_call_spans(trace)]
        assert trace_cost(trace) == pytest.approx(sum(costs))


# Old versions store the costs that the server returns, and have no property for them.
def span_cost(span):
    return (span.get_attribute("mlflow.llm.cost") or {}).get("total_cost")


def trace_cost(trace):
    cost = trace.info.trace_metadata.get("mlflow.trace.cost")
    return cost and json.loads(cost)["total_cost"]


def model_call_spans(trace):
    return [span for span in trace.data.spans if span.span_type == "CHAT_MODEL"]


def assert_complete_trees(run, agent="run_tool_agent", tool="get_weather", number=1):
    """Asserts `number` trees, the same in MLflow and at OTLP, with the right totals."""
    assert run.mlflow_trees == [(agent, [CHAT, CHAT, tool])] * number
    assert (
        run.otlp_trees
        == [(f"invoke_agent {agent}", [CHAT, CHAT, f"execute_tool {tool}"])] * number
    )
    assert {
        (span.trace_id[3:], span.span_id, span.parent_id or "", span.start_time_ns)
        for trace in run.traces
        for span in trace.data.spans
    } == {
        (span.trace_id, span.span_id, span.parent_id, span.start_ns)
        for span in run.receiver.spans
    }
    assert [trace.info.state for trace in run.traces] == ["OK"] * number
    assert {trace.info.tags["mlflow.traceName"] for trace in run.traces} == {agent}
    assert_billed_totals(run)
