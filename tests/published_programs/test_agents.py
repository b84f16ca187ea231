"""Agents of frameworks that record spans around the calls."""

from __future__ import annotations

import pytest

from .answers import SKY, WEATHER_IN_PARIS
from .telemetry import ModelCall, assert_complete, conversation, outline

pytestmark = pytest.mark.e2e

# What MLflow writes by itself when autolog is enabled under `opentelemetry-instrument`.
MLFLOW_MESSAGES = (
    "Overriding of current MeterProvider is not allowed",
    "INFO mlflow.tracing.export.async_export_queue: Flushing the async trace logging",
)


def test_a_run_of_pydantic_ai_is_one_trace(run_program, telemetry):
    process = run_program("pydantic_ai_agent")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == f"{WEATHER_IN_PARIS}\n{SKY}\n"
    # pydantic-ai has a span for each call, too. It is the parent.
    call = ModelCall("chat deepseek-flash", parent="chat deepseek-flash")
    assert telemetry.model_calls == [call] * 3
    assert_complete(telemetry)
    assert [conversation(trace) for trace in telemetry.traces] == [
        ("OK", "How is the weather in Paris?", WEATHER_IN_PARIS),
        ("OK", "Why is the sky blue?", SKY),
    ]
    assert [outline(trace) for trace in telemetry.traces] == [
        [
            (0, "AGENT", "invoke_agent weather_agent"),
            (1, "CHAT_MODEL", "chat deepseek-flash"),
            (2, "CHAT_MODEL", "chat deepseek-flash"),
            (1, "TOOL", "execute_tool get_weather"),
            (1, "CHAT_MODEL", "chat deepseek-flash"),
            (2, "CHAT_MODEL", "chat deepseek-flash"),
        ],
        [
            (0, "AGENT", "invoke_agent weather_agent"),
            (1, "CHAT_MODEL", "chat deepseek-flash"),
            (2, "CHAT_MODEL", "chat deepseek-flash"),
        ],
    ]


def test_an_agent_with_checkpoints_is_one_trace_a_turn(run_program, telemetry):
    process = run_program("langgraph_agent")
    assert process.returncode == 0
    assert process.stdout == f"4 {WEATHER_IN_PARIS}\n6 {SKY}\nWeather(city='Rome')\n"
    (warning,) = [
        line
        for line in process.stderr.splitlines()
        if not any(message in line for message in MLFLOW_MESSAGES)
    ]
    assert warning.startswith("Calls of DeepSeek are recorded twice")
    # MLflow's autolog has a span for each call, too. It is the parent.
    call = ModelCall("chat deepseek-flash", parent="chat ChatDeepSeek")
    assert telemetry.model_calls == [call] * 4
    assert_complete(telemetry)
    model = [
        (1, "CHAIN", "model"),
        (2, "CHAT_MODEL", "ChatDeepSeek"),
        (3, "CHAT_MODEL", "chat deepseek-flash"),
    ]
    tools = [(1, "CHAIN", "tools"), (2, "TOOL", "get_weather")]
    graph = (0, "CHAIN", "LangGraph")
    assert [outline(trace) for trace in telemetry.traces] == [
        [graph, *model, *tools, *model],
        [graph, *model],
        [graph, *model],
    ]
    assert [(t.state, t.request, t.session) for t in telemetry.traces] == [
        ("OK", "How is the weather in Paris?", "thread-1"),
        ("OK", "Why is the sky blue?", "thread-1"),
        ("OK", "How is the weather in Rome?", None),
    ]
    # MLflow shows the state of the graph as response, as it does without this package.
    for trace in telemetry.traces:
        assert trace.response.startswith('{"messages": [{"content": ')


# Prices for each million tokens that nobody else has.
PRICES = """
[[prices]]
models = ["deepseek-flash"]
from = 2026-01-01T00:00:00Z
currency = "USD"
cache_hit = 1000
cache_miss = 1000
output = 2000
source = "https://prices.example"
"""


@pytest.mark.parametrize("program", ["pydantic_ai_agent", "langgraph_agent"])
def test_cost_of_an_agent_follows_the_price_list(
    program, environment, run_program, telemetry, tmp_path
):
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    environment["OTEL_EXPORTER_MLFLOW_PRICES"] = str(prices)
    run_program(program)
    costs = [i / 1_000 + o / 500 for i, o in telemetry.billed_tokens]
    assert sum(trace.total.cost for trace in telemetry.traces) == pytest.approx(
        sum(costs)
    )
