"""Tests that the quickstart's trace is the same in MLflow and at the OTLP endpoint."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict, IsStr

from examples.quickstart._recorded_trace import to_recorded_trace
from examples.quickstart._report import (
    check_received_spans,
    check_tokens,
    redact_credentials,
)
from examples.simulator import Simulator

pytestmark = pytest.mark.e2e
QUESTION = "How is the weather in Paris and Tokyo?"
ANSWER = (
    "In Paris it is 18 °C and light rain and in Tokyo it is 24 °C and sunshine. "
    "Tokyo is the warmer of the two."
)


def total_usage(exchanges, name):
    return sum(exchange.usage[name] for exchange in exchanges)


def test_trace_has_name_previews_user_and_session(quickstart_run):
    info = quickstart_run.trace.info
    (root,) = [span for span in quickstart_run.receiver.spans if not span.parent_id]
    assert (info.state.value, info.tags["mlflow.traceName"]) == ("OK", "weather talk")
    assert (info.request_preview, info.response_preview) == (QUESTION, ANSWER)
    assert info.trace_metadata["mlflow.trace.user"] == "ada"
    assert info.trace_metadata["mlflow.trace.session"] == root.attributes["session.id"]


def test_trace_has_the_billed_tokens(quickstart_run):
    exchanges = quickstart_run.simulator.exchanges
    assert len(exchanges) == 2
    assert quickstart_run.trace.info.token_usage == {
        "input_tokens": total_usage(exchanges, "prompt_tokens"),
        "output_tokens": total_usage(exchanges, "completion_tokens"),
        "total_tokens": total_usage(exchanges, "total_tokens"),
        "cache_read_input_tokens": total_usage(exchanges, "prompt_cache_hit_tokens"),
    }
    assert total_usage(exchanges, "prompt_cache_hit_tokens") > 0


def test_each_model_call_has_the_tokens_of_its_response(quickstart_run):
    chats = [s for s in quickstart_run.trace.data.spans if s.span_type == "CHAT_MODEL"]
    chats.sort(key=lambda span: span.start_time_ns)
    for span, exchange in zip(chats, quickstart_run.simulator.exchanges, strict=True):
        usage = exchange.usage
        assert span.attributes == IsPartialDict(
            {
                "gen_ai.usage.input_tokens": usage["prompt_tokens"],
                "gen_ai.usage.output_tokens": usage["completion_tokens"],
                "gen_ai.usage.cache_read.input_tokens": usage[
                    "prompt_cache_hit_tokens"
                ],
                "gen_ai.usage.reasoning.output_tokens": usage[
                    "completion_tokens_details"
                ]["reasoning_tokens"],
            }
        )


def test_cost_follows_deepseeks_price_list(quickstart_run):
    """USD per million tokens: input 0.15, cached input 0.003, output 0.60; peak twice.

    The agent's environment lists the simulator's host as a host with DeepSeek's API.
    """
    usage = quickstart_run.trace.info.token_usage
    cached = usage["cache_read_input_tokens"]
    cost = (usage["input_tokens"] - cached) * 0.15 + cached * 0.003
    cost += usage["output_tokens"] * 0.60
    recorded = quickstart_run.trace.info.cost["total_cost"] * 1e6
    assert recorded in (pytest.approx(cost), pytest.approx(2 * cost))


def test_spans_have_the_structure_of_the_agent(quickstart_run):
    assert [
        (span.depth, span.type, span.name)
        for span in to_recorded_trace(quickstart_run.trace).spans
    ] == [
        (0, "CHAIN", "weather talk"),
        (1, "CHAT_MODEL", "chat deepseek-flash"),
        (1, "TOOL", "execute_tool get_weather"),
        (1, "TOOL", "execute_tool get_weather"),
        (1, "CHAT_MODEL", "chat deepseek-flash"),
    ]


def test_otlp_endpoint_has_the_same_spans(quickstart_run):
    def ids(span):
        return (span.name, span.trace_id, span.span_id, span.parent_id or None)

    in_mlflow = [
        (name, trace_id.removeprefix("tr-"), span_id, parent_id)
        for name, trace_id, span_id, parent_id in map(
            ids, quickstart_run.trace.data.spans
        )
    ]
    assert sorted(in_mlflow) == sorted(map(ids, quickstart_run.receiver.spans))


def test_otlp_endpoint_has_no_attributes_of_mlflow(quickstart_run):
    assert len(quickstart_run.receiver.requests) > 0
    assert [
        r for r in quickstart_run.receiver.requests if b"mlflow" in r.body.lower()
    ] == []


def test_otlp_endpoint_has_the_same_times(quickstart_run):
    at_receiver = {
        s.span_id: (s.start_ns, s.end_ns) for s in quickstart_run.receiver.spans
    }
    assert at_receiver == {
        s.span_id: (s.start_time_ns, s.end_time_ns)
        for s in quickstart_run.trace.data.spans
    }


def test_reasoning_and_tool_calls_have_the_form_that_mlflow_renders(quickstart_run):
    first, second = sorted(
        (s for s in quickstart_run.trace.data.spans if s.span_type == "CHAT_MODEL"),
        key=lambda span: span.start_time_ns,
    )
    response = json.loads(quickstart_run.simulator.exchanges[0].response_body)
    message = response["choices"][0]["message"]
    calls = message["tool_calls"]
    assert first.outputs["choices"][0]["message"] == IsPartialDict(
        role="assistant", reasoning=message["reasoning_content"]
    )
    assert second.inputs["messages"] == [
        {"role": "user", "content": QUESTION},
        IsPartialDict(
            role="assistant",
            reasoning=message["reasoning_content"],
            tool_calls=[
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "arguments": IsStr(regex=rf'\{{"city": ?"{city}"\}}'),
                    },
                }
                for call, city in zip(calls, ("Paris", "Tokyo"), strict=True)
            ],
        ),
        *(
            {
                "role": "tool",
                "tool_call_id": call["id"],
                "content": IsStr(regex=weather),
            }
            for call, weather in zip(
                calls, (".*18.*light rain.*", ".*24.*sunshine.*"), strict=True
            )
        ),
    ]


def test_without_variables_it_starts_and_reports_all_servers(running_quickstart):
    output = running_quickstart.output
    assert "DEEPSEEK_API_KEY is not set" in output
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is not set" in output
    assert "MLFLOW_TRACKING_URI is not set" in output
    assert "starting MLflow … " in output
    assert "as in the trace" in output
    assert "received 5 spans with the trace id" in output
    assert f"{running_quickstart.uri}/#/experiments/" in output


def test_table_has_the_totals_of_mlflow(quickstart_run):
    total = next(
        row
        for row in quickstart_run.output.splitlines()
        if row.startswith("whole trace")
    )
    usage, cost = quickstart_run.trace.info.token_usage, quickstart_run.trace.info.cost
    assert total.split()[2:] == [
        f"{usage['input_tokens']:,}",
        f"{usage['cache_read_input_tokens']:,}",
        f"{usage['output_tokens']:,}",
        IsStr(regex=r"\d+"),
        f"{cost['total_cost']:.6f}",
    ]
    assert f"/traces/{quickstart_run.trace.info.trace_id}" in quickstart_run.output


def test_checks_fail_if_mlflow_differs_from_receiver_or_simulator(quickstart_run):
    trace = to_recorded_trace(quickstart_run.trace)
    assert check_received_spans(quickstart_run.receiver.spans, trace).passed
    assert not check_received_spans(quickstart_run.receiver.spans[1:], trace).passed
    assert check_tokens(quickstart_run.simulator.exchanges, trace).passed
    assert not check_tokens(quickstart_run.simulator.exchanges[1:], trace).passed


def test_failing_agent_fails_the_quickstart_with_its_error_message(quickstart):
    with Simulator(faults="402") as failing_simulator:
        process = quickstart(DEEPSEEK_BASE_URL=failing_simulator.base_url)
    assert process.returncode == 1
    assert "Insufficient Balance" in process.stderr
    assert (
        process.stderr.splitlines()[-1]
        == "The agent failed with exit code 1. See its output above."
    )


def test_unreachable_mlflow_fails_the_quickstart_with_its_uri(quickstart):
    process = quickstart(MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert process.returncode == 1
    assert ANSWER in process.stdout
    assert "\nMLflow at http://127.0.0.1:9 cannot be read: " in process.stderr


@pytest.mark.parametrize(
    ("uri", "redacted"),
    [
        ("https://ada:secret@mlflow.example/x", "https://mlflow.example/x"),
        ("postgresql://ada:s@cret@db/mlflow", "postgresql://db/mlflow"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_redact_credentials(uri, redacted):
    assert redact_credentials(uri) == redacted
