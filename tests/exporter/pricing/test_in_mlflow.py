"""The costs that MLflow shows, with a server and with a local store."""

from __future__ import annotations

import pytest
from opentelemetry.trace import set_span_in_context

from tests.exporter.mlflow_server.conftest import IGNORE_STORE_WARNING

from .calls import OFF_PEAK, PEAK, call, cost, unix_nanoseconds

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]


def trace_with_calls(spans, *calls):
    """Spans of a trace with model calls, each with its start time."""
    starts = [unix_nanoseconds(iso_time) for _, iso_time in calls]
    root = spans.tracer.start_span("work", start_time=min(starts))
    for (attributes, _), start in zip(calls, starts, strict=True):
        spans.tracer.start_span(
            "chat",
            context=set_span_in_context(root),
            attributes=attributes,
            start_time=start,
        ).end(start + 1_000)
    root.end(max(starts) + 2_000)
    return spans.take()


def costs(trace):
    return {
        (span.attributes["gen_ai.response.model"], span.start_time_ns): span.llm_cost
        for span in trace.data.spans
        if span.parent_id
    }


def test_cost_of_a_trace_is_the_sum_of_peak_and_off_peak_calls(mlflow, spans):
    calls = [
        (call(), OFF_PEAK),
        (call(), PEAK),
        (call("deepseek-v4-pro"), PEAK),
        (call("deepseek-v4-flash"), "2026-06-01T02:00:00+00:00"),
    ]
    finished_spans = trace_with_calls(spans, *calls)
    mlflow.export(finished_spans)
    trace = mlflow.read_trace(finished_spans[-1])
    expected = [cost(attributes, iso_time) for attributes, iso_time in calls]
    assert costs(trace) == {
        (attributes["gen_ai.response.model"], unix_nanoseconds(iso_time)): cost
        for (attributes, iso_time), cost in zip(calls, expected, strict=True)
    }
    assert trace.info.cost == {
        kind: pytest.approx(sum(cost[kind] for cost in expected), rel=1e-12)
        for kind in ("input_cost", "output_cost", "total_cost")
    }
    assert [cost["total_cost"] for cost in expected] == [
        0.1218,
        0.2436,
        0.9504,
        0.08568,
    ]


def test_spans_sent_twice_or_in_parts_are_counted_once(mlflow, spans):
    finished_spans = trace_with_calls(spans, (call(), OFF_PEAK), (call(), PEAK))
    first, second, root = finished_spans
    mlflow.export([second], [first, second], [root], [root, first])
    total = mlflow.read_trace(root).info.cost["total_cost"]
    assert total == pytest.approx(0.1218 + 0.2436, rel=1e-12)


def test_usage_of_an_agent_is_not_added_to_that_of_its_calls(mlflow, spans):
    usage = {"gen_ai.usage.input_tokens": 2_000_000} | {
        "gen_ai.usage.cache_read.input_tokens": 1_200_000,
        "gen_ai.usage.output_tokens": 200_000,
        "gen_ai.operation.name": "invoke_agent",
    }
    agent = spans.tracer.start_span(
        "agent", attributes=call() | usage, start_time=unix_nanoseconds(PEAK)
    )
    for _ in range(2):
        spans.tracer.start_span(
            "chat",
            context=set_span_in_context(agent),
            attributes=call(),
            start_time=unix_nanoseconds(PEAK),
        ).end(unix_nanoseconds(PEAK) + 1)
    agent.end(unix_nanoseconds(PEAK) + 2)
    mlflow.export(spans.take())
    assert mlflow.read_trace(agent).info.cost["total_cost"] == 2 * 0.2436


UNPRICED = [
    {"gen_ai.provider.name": "example"},
    {"server.address": "example.com"},
    {"server.address": "example.com", "deepseek.server.type": "unknown"},
    {"gen_ai.response.model": "deepseek-chat"},
    # MLflow's own catalogue has the price of another provider for it.
    {"gen_ai.response.model": "deepseek/deepseek-v4-pro"},
    {"gen_ai.response.model": "gpt-4o"},
]


@pytest.mark.parametrize("attributes", UNPRICED, ids=str)
def test_mlflow_does_not_add_its_own_price_to_unpriced_calls(mlflow, spans, attributes):
    """MLflow's own catalogue has all these models."""
    finished_spans = trace_with_calls(
        spans, (call() | attributes, PEAK), (call(), OFF_PEAK)
    )
    mlflow.export(finished_spans)
    trace = mlflow.read_trace(finished_spans[-1])
    unpriced, priced = sorted(costs(trace).values(), key=bool)
    assert (unpriced, priced["total_cost"]) == (None, 0.1218)
    assert trace.info.cost["total_cost"] == 0.1218


@pytest.mark.parametrize("attributes", UNPRICED, ids=str)
def test_trace_with_unpriced_calls_only_has_no_cost(mlflow, spans, attributes):
    finished_spans = trace_with_calls(spans, (call() | attributes, PEAK))
    mlflow.export(finished_spans)
    trace = mlflow.read_trace(finished_spans[-1])
    assert trace.info.cost is None
    assert "mlflow.trace.cost" not in trace.info.trace_metadata
    assert trace.info.token_usage["total_tokens"] == 1_100_000
    (span,) = [span for span in trace.data.spans if span.parent_id]
    model = (call() | attributes)["gen_ai.response.model"]
    assert span.attributes["gen_ai.response.model"] == model
    assert span.model_name == f"{model} (no price)"
    assert span.llm_cost is None


def test_other_models_have_the_price_of_mlflow(mlflow, spans):
    other = call("gpt-4o-mini") | {
        "gen_ai.provider.name": "openai",
        "server.address": "api.openai.com",
    }
    finished_spans = trace_with_calls(spans, (other, PEAK))
    mlflow.export(finished_spans)
    assert mlflow.read_trace(finished_spans[-1]).info.cost["total_cost"] > 0
