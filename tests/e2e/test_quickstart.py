"""The main job: what the agent did, in MLflow and at the OTLP endpoint alike."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict, IsStr

from examples.quickstart._report import arrived, billed, presentable
from examples.quickstart._trace import recorded
from examples.simulator import Simulator

pytestmark = pytest.mark.e2e
QUESTION = "How is the weather in Paris?"
HAIKU = "A call leaves at dawn,\ntokens drift back one by one:\nthe trace remembers."


def usage(exchanges, name):
    return sum(exchange.usage[name] for exchange in exchanges)


def test_the_trace_list_tells_the_story(run):
    info = run.trace.info
    (root,) = [span for span in run.receiver.spans if not span.parent_id]
    assert (info.state.value, info.tags["mlflow.traceName"]) == ("OK", "weather talk")
    assert (info.request_preview, info.response_preview) == (QUESTION, HAIKU)
    assert info.trace_metadata["mlflow.trace.user"] == "ada"
    assert info.trace_metadata["mlflow.trace.session"] == root.attributes["session.id"]


def test_the_tokens_are_those_that_were_billed(run):
    exchanges = run.simulator.exchanges
    assert len(exchanges) == 3
    assert run.trace.info.token_usage == {
        "input_tokens": usage(exchanges, "prompt_tokens"),
        "output_tokens": usage(exchanges, "completion_tokens"),
        "total_tokens": usage(exchanges, "total_tokens"),
        "cache_read_input_tokens": usage(exchanges, "prompt_cache_hit_tokens"),
    }
    assert usage(exchanges, "prompt_cache_hit_tokens") > 0


def test_each_call_has_the_tokens_of_its_answer(run):
    chats = [s for s in run.trace.data.spans if s.span_type == "CHAT_MODEL"]
    chats.sort(key=lambda span: span.start_time_ns)
    for span, exchange in zip(chats, run.simulator.exchanges, strict=True):
        said = exchange.usage
        assert span.attributes == IsPartialDict(
            {
                "gen_ai.usage.input_tokens": said["prompt_tokens"],
                "gen_ai.usage.output_tokens": said["completion_tokens"],
                "gen_ai.usage.cache_read.input_tokens": said["prompt_cache_hit_tokens"],
                "gen_ai.usage.reasoning.output_tokens": said[
                    "completion_tokens_details"
                ]["reasoning_tokens"],
            }
        )


def test_the_cost_is_that_of_deepseeks_price_list(run):
    """USD per million tokens: 0.15 in, 0.003 from the cache, 0.60 out; at peak twice.

    The agent names the simulator's host as a gateway to DeepSeek.
    """
    used = run.trace.info.token_usage
    cached = used["cache_read_input_tokens"]
    cost = (used["input_tokens"] - cached) * 0.15 + cached * 0.003
    cost += used["output_tokens"] * 0.60
    found = run.trace.info.cost["total_cost"] * 1e6
    assert found in (pytest.approx(cost), pytest.approx(2 * cost))


def test_the_tree_is_the_agents(run):
    assert [
        (span.depth, span.type, span.name) for span in recorded(run.trace).spans
    ] == [
        (0, "CHAIN", "weather talk"),
        (1, "CHAT_MODEL", "chat deepseek-flash"),
        (1, "TOOL", "execute_tool get_weather"),
        (1, "CHAT_MODEL", "chat deepseek-flash"),
        (1, "CHAT_MODEL", "chat deepseek-flash"),
    ]


def test_the_same_spans_are_at_the_otlp_endpoint(run):
    def ids(span):
        return (span.name, span.trace_id, span.span_id, span.parent_id or None)

    in_mlflow = [
        (name, trace_id.removeprefix("tr-"), span_id, parent_id)
        for name, trace_id, span_id, parent_id in map(ids, run.trace.data.spans)
    ]
    assert sorted(in_mlflow) == sorted(map(ids, run.receiver.spans))


def test_nothing_of_mlflow_is_at_the_otlp_endpoint(run):
    assert len(run.receiver.requests) > 0
    assert [r for r in run.receiver.requests if b"mlflow" in r.body.lower()] == []


def test_times_are_the_same_in_both(run):
    at_receiver = {s.span_id: (s.start_ns, s.end_ns) for s in run.receiver.spans}
    assert at_receiver == {
        s.span_id: (s.start_time_ns, s.end_time_ns) for s in run.trace.data.spans
    }


def test_reasoning_and_tools_are_told_the_way_mlflow_renders_them(run):
    first, second, _ = sorted(
        (s for s in run.trace.data.spans if s.span_type == "CHAT_MODEL"),
        key=lambda span: span.start_time_ns,
    )
    response = json.loads(run.simulator.exchanges[0].response_body)
    answer = response["choices"][0]["message"]
    (call,) = answer["tool_calls"]
    assert first.outputs["choices"][0]["message"] == IsPartialDict(
        role="assistant", reasoning=answer["reasoning_content"]
    )
    assert second.inputs["messages"] == [
        {"role": "user", "content": QUESTION},
        IsPartialDict(
            role="assistant",
            reasoning=answer["reasoning_content"],
            tool_calls=[
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "arguments": IsStr(regex=r'\{"city": ?"Paris"\}'),
                    },
                }
            ],
        ),
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": IsStr(regex=".*18.*light rain.*"),
        },
    ]


def test_with_nothing_set_it_brings_everything_and_says_so(served):
    said = served.output
    assert "no DEEPSEEK_API_KEY set" in said
    assert "no OTEL_EXPORTER_OTLP_ENDPOINT set" in said
    assert "no MLFLOW_TRACKING_URI set" in said
    assert "starting MLflow … " in said
    assert "as the trace says" in said
    assert "5 spans arrived with the trace id" in said
    assert f"{served.uri}/#/experiments/" in said


def test_its_table_has_what_mlflow_has(run):
    total = next(
        row for row in run.output.splitlines() if row.startswith("whole trace")
    )
    used, cost = run.trace.info.token_usage, run.trace.info.cost
    assert total.split()[2:] == [
        f"{used['input_tokens']:,}",
        f"{used['cache_read_input_tokens']:,}",
        f"{used['output_tokens']:,}",
        IsStr(regex=r"\d+"),
        f"{cost['total_cost']:.6f}",
    ]
    assert f"/traces/{run.trace.info.trace_id}" in run.output


def test_a_difference_between_the_two_sides_is_found(run):
    trace = recorded(run.trace)
    assert arrived(run.receiver.spans, trace).holds
    assert not arrived(run.receiver.spans[1:], trace).holds
    assert billed(run.simulator.exchanges, trace).holds
    assert not billed(run.simulator.exchanges[1:], trace).holds


def test_an_agent_that_fails_fails_it_with_the_agents_own_words(quickstart):
    with Simulator(faults="402") as broke:
        done = quickstart(DEEPSEEK_BASE_URL=broke.base_url)
    assert done.returncode == 1
    assert "Insufficient Balance" in done.stderr
    assert (
        done.stderr.splitlines()[-1] == "The agent ended with exit code 1, see above."
    )


def test_an_mlflow_that_is_not_there_fails_it_with_its_address(quickstart):
    done = quickstart(MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "A call leaves at dawn" in done.stdout
    assert "\nMLflow at http://127.0.0.1:9 cannot be read: " in done.stderr


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://ada:secret@mlflow.example/x", "https://mlflow.example/x"),
        ("postgresql://ada:s@cret@db/mlflow", "postgresql://db/mlflow"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_no_password_of_an_address_is_printed(uri, shown):
    assert presentable(uri) == shown
