"""What MLflow makes of the costs: a server, and a local store."""

from __future__ import annotations

import pytest
from opentelemetry.trace import set_span_in_context

from tests.exporter.mlflow_server.conftest import OPENS_A_STORE

from .calls import OFF_PEAK, PEAK, at, call, cost

pytestmark = [pytest.mark.e2e, OPENS_A_STORE]


def work(spans, *calls):
    """A span over model calls, each with the moment of its start."""
    begin = min(at(moment) for _, moment in calls)
    root = spans.tracer.start_span("work", start_time=begin)
    for attributes, moment in calls:
        spans.tracer.start_span(
            "chat",
            context=set_span_in_context(root),
            attributes=attributes,
            start_time=at(moment),
        ).end(at(moment) + 1_000)
    root.end(max(at(moment) for _, moment in calls) + 2_000)
    return spans.take()


def costs(trace):
    return {
        (span.attributes["gen_ai.response.model"], span.start_time_ns): span.llm_cost
        for span in trace.data.spans
        if span.parent_id
    }


def test_the_cost_of_a_trace_is_the_sum_of_ours_across_the_edge_of_the_peak(
    mlflow, spans
):
    calls = [
        (call(), OFF_PEAK),
        (call(), PEAK),
        (call("deepseek-v4-pro"), PEAK),
        (call("deepseek-v4-flash"), "2026-06-01T02:00:00+00:00"),
    ]
    ended = work(spans, *calls)
    mlflow.export(ended)
    trace = mlflow.trace(ended[-1])
    ours = [cost(attributes, moment) for attributes, moment in calls]
    assert costs(trace) == {
        (attributes["gen_ai.response.model"], at(moment)): cost
        for (attributes, moment), cost in zip(calls, ours, strict=True)
    }
    assert trace.info.cost == {
        kind: pytest.approx(sum(cost[kind] for cost in ours), rel=1e-12)
        for kind in ("input_cost", "output_cost", "total_cost")
    }
    assert [cost["total_cost"] for cost in ours] == [0.1218, 0.2436, 0.9504, 0.08568]


def test_what_comes_again_or_in_parts_is_not_counted_twice(mlflow, spans):
    ended = work(spans, (call(), OFF_PEAK), (call(), PEAK))
    first, second, root = ended
    mlflow.export([second], [first, second], [root], [root, first])
    total = mlflow.trace(root).info.cost["total_cost"]
    assert total == pytest.approx(0.1218 + 0.2436, rel=1e-12)


def test_an_agent_that_counts_its_calls_is_not_added_to_them(mlflow, spans):
    calls = {"gen_ai.usage.input_tokens": 2_000_000} | {
        "gen_ai.usage.cache_read.input_tokens": 1_200_000,
        "gen_ai.usage.output_tokens": 200_000,
        "gen_ai.operation.name": "invoke_agent",
    }
    agent = spans.tracer.start_span(
        "agent", attributes=call() | calls, start_time=at(PEAK)
    )
    for _ in range(2):
        spans.tracer.start_span(
            "chat",
            context=set_span_in_context(agent),
            attributes=call(),
            start_time=at(PEAK),
        ).end(at(PEAK) + 1)
    agent.end(at(PEAK) + 2)
    mlflow.export(spans.take())
    assert mlflow.trace(agent).info.cost["total_cost"] == 2 * 0.2436


@pytest.mark.parametrize(
    "place",
    [
        {"gen_ai.provider.name": "example"},
        {"server.address": "example.com"},
        {"gen_ai.response.model": "deepseek-chat"},
    ],
    ids=str,
)
def test_mlflow_does_not_guess_where_we_have_no_price(mlflow, spans, place):
    """Its own catalogue has all three models, and would take DeepSeek's price."""
    ended = work(spans, (call() | place, PEAK), (call(), OFF_PEAK))
    mlflow.export(ended)
    trace = mlflow.trace(ended[-1])
    unpriced, priced = sorted(costs(trace).values(), key=len)
    assert (unpriced, priced["total_cost"]) == ({}, 0.1218)
    assert trace.info.cost["total_cost"] == 0.1218


def test_other_models_have_the_price_of_mlflow(mlflow, spans):
    other = call("gpt-4o-mini") | {
        "gen_ai.provider.name": "openai",
        "server.address": "api.openai.com",
    }
    ended = work(spans, (other, PEAK))
    mlflow.export(ended)
    assert mlflow.trace(ended[-1]).info.cost["total_cost"] > 0
