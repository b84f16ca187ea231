"""What a program with an agent left in MLflow and at the OTLP endpoint, as trees."""

from __future__ import annotations

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
class Run:
    receiver: OtlpReceiver
    simulator: Simulator
    traces: list[Trace]
    output: str

    @property
    def trace(self) -> Trace:
        (trace,) = self.traces
        return trace

    @property
    def in_mlflow(self):
        return tree(
            [
                (span.name, span.trace_id[3:], span.span_id, span.parent_id or "")
                for trace in self.traces
                for span in trace.data.spans
            ]
        )

    @property
    def at_otlp(self):
        return tree(ids(self.receiver.spans))


def ids(spans):
    return [(span.name, span.trace_id, span.span_id, span.parent_id) for span in spans]


def tree(spans):
    """Each trace as (root, its children's names); deeper ones as such a pair again."""
    present = {span_id for _, _, span_id, _ in spans}

    def below(parent):
        found = [
            (name, below(span_id)) if below(span_id) else name
            for name, _, span_id, parent_id in spans
            if parent_id == parent
        ]
        return sorted(found, key=str)

    assert all(parent in present for _, _, _, parent in spans if parent)
    return below("")


def billed(simulator, name):
    return sum(exchange.usage[name] for exchange in simulator.exchanges)


def check_totals(run):
    """What the simulator billed is what MLflow's list of traces says."""
    said = [trace.info.token_usage for trace in run.traces]
    assert {
        name: sum(usage[name] for usage in said)
        for name in ("input_tokens", "output_tokens", "total_tokens")
    } == {
        "input_tokens": billed(run.simulator, "prompt_tokens"),
        "output_tokens": billed(run.simulator, "completion_tokens"),
        "total_tokens": billed(run.simulator, "total_tokens"),
    }
    for trace in run.traces:
        costs = [span.llm_cost["total_cost"] for span in chats(trace)]
        assert trace.info.cost["total_cost"] == pytest.approx(sum(costs))


def chats(trace):
    return [span for span in trace.data.spans if span.span_type == "CHAT_MODEL"]


def check(run, agent="run_tool_agent", tool="get_weather", number=1):
    """`number` whole trees, the same on both sides, with right totals."""
    assert run.in_mlflow == [(agent, [CHAT, CHAT, tool])] * number
    assert (
        run.at_otlp
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
    check_totals(run)
