"""Calls that MLflow's autolog of the openai SDK records, too, have one span."""

from __future__ import annotations

import json

import pytest

from .agent_run import CHAT, billed_tokens, span_cost, trace_cost

pytestmark = pytest.mark.e2e

WARNING = "Calls of DeepSeek are recorded twice"

# Prices for each million tokens that nobody else has.
PRICES = """
[[prices]]
models = ["deepseek-v4-flash", "deepseek-flash"]
from = 2026-01-01T00:00:00Z
currency = "USD"
cache_hit = 1000
cache_miss = 1000
output = 2000
"""


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(PRICES)
    return str(path)


def billed_cost(simulator):
    return (
        billed_tokens(simulator, "prompt_tokens") / 1_000
        + billed_tokens(simulator, "completion_tokens") / 500
    )


def texts(body):
    return [message.get("content") for message in body["messages"]]


@pytest.mark.parametrize(
    "program",
    [
        "autolog_agent",
        "autolog_of_a_stream",
        "autolog_inside_the_instrumentation",
        "autolog_in_a_long_program",
    ],
)
def test_calls_that_autolog_records_too_are_recorded_once(run_program, prices, program):
    run = run_program(program, OTEL_EXPORTER_MLFLOW_PRICES=prices)
    total = sum(trace_cost(trace) for trace in run.traces)
    assert total == pytest.approx(billed_cost(run.simulator))
    spans = [span for trace in run.traces for span in trace.data.spans]
    tokens = sum(trace.info.token_usage["total_tokens"] for trace in run.traces)
    assert tokens == billed_tokens(run.simulator, "total_tokens")
    calls = [span for span in spans if span.name == CHAT]
    assert len(calls) == len(run.simulator.exchanges)
    assert "Completions" not in {span.name for span in spans}
    assert WARNING not in run.errors


@pytest.mark.parametrize("program", ["autolog_without_trace", "autolog_of_a_stream"])
def test_content_that_autolog_records_is_for_mlflow_only(run_program, program):
    run = run_program(
        program, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="NO_CONTENT"
    )
    spans = [
        span for trace in run.traces for span in trace.data.spans if span.name == CHAT
    ]
    bodies = [json.loads(exchange.request_body) for exchange in run.simulator.exchanges]
    assert sorted(map(texts, (span.inputs for span in spans))) == sorted(
        map(texts, bodies)
    )
    assert all(span.outputs["choices"][0]["message"] for span in spans)
    assert {span.get_attribute("mlflow.message.format") for span in spans} == {"openai"}
    calls = [span for span in run.receiver.spans if span.name == CHAT]
    assert len(calls) == len(spans)
    assert not [
        name
        for call in calls
        for name in call.attributes
        if "messages" in name or name.startswith("mlflow.")
    ]


def test_unpriced_calls_that_autolog_records_too_have_no_cost(run_program, prices):
    run = run_program(
        "autolog_in_a_long_program",
        OTEL_EXPORTER_MLFLOW_PRICES=prices,
        OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS="*",
    )
    assert trace_cost(run.trace) is None
    assert run.trace.info.token_usage["total_tokens"] == billed_tokens(
        run.simulator, "total_tokens"
    )


def test_span_of_the_user_around_a_call_gives_no_warning(run_program, prices):
    run = run_program("model_span_of_the_user", OTEL_EXPORTER_MLFLOW_PRICES=prices)
    assert trace_cost(run.trace) == pytest.approx(billed_cost(run.simulator))
    assert WARNING not in run.errors


def test_calls_of_another_provider_keep_the_price_of_mlflow(run_program, prices):
    run = run_program("other_provider", OTEL_EXPORTER_MLFLOW_PRICES=prices)
    spans = {span.name: span for span in run.trace.data.spans}
    call, other = spans[CHAT], spans["Completions"]
    assert len(run.trace.data.spans) == 3
    assert 0 < span_cost(other) < 0.01
    assert trace_cost(run.trace) == pytest.approx(span_cost(call) + span_cost(other))
