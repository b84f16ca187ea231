"""The agent of MLflow's DeepSeek guide: one tree, in MLflow and at the OTLP endpoint.

It runs under `opentelemetry-instrument`, and knows nothing of us.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from dirty_equals import IsPartialDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from examples.quickstart import _agent_run

from .conftest import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities import Trace

    from examples.otlp_receiver import OtlpReceiver
    from examples.simulator import Simulator

pytestmark = pytest.mark.e2e

AGENTS = Path(__file__).with_name("guide") / "agents.py"
QUESTION = "What's the weather like in Paris today?"
ANSWER = "In Paris it is The weather in Paris is always sunny."
CHAT = "chat deepseek-v4-flash"
AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "1"}
CAPTURED = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


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


@pytest.fixture
def run(mlflow_uri, traces, simulator, receiver) -> Callable[..., Run]:
    def run(program: str, of_the_code: str = "", **variables: str) -> Run:
        experiment = f"one tree {uuid.uuid4()}"
        done = subprocess.run(
            [_agent_run.instrument(), sys.executable, AGENTS, f"run_{program}"],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_EXPERIMENT_NAME": experiment,
                # MLflow says in whispers that it could not start a span.
                "MLFLOW_LOGGING_LEVEL": "DEBUG",
                "MLFLOW_TRACKING_URI": mlflow_uri,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_TRACES_EXPORTER": "otlp,mlflow",
            }
            | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        for trouble in ("Failed to start", "not reach"):
            assert trouble not in done.stderr, done.stderr
        return Run(
            receiver, simulator, traces(f"{experiment}{of_the_code}"), done.stdout
        )

    return run


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


# --- the guide's script, which ends right after its answer


def test_it_is_whole_though_the_script_ends_right_after_its_answer(run):
    ran = run("plain")
    check(ran)
    agent, first, tool, second = sorted(
        ran.trace.data.spans, key=lambda span: span.start_time_ns
    )
    assert [span.span_type for span in (agent, first, tool, second)] == [
        "AGENT",
        "CHAT_MODEL",
        "TOOL",
        "CHAT_MODEL",
    ]
    assert (agent.inputs, agent.outputs) == ({"question": QUESTION}, ANSWER)
    assert tool.inputs == {"city": "Paris"}
    assert tool.outputs == "The weather in Paris is always sunny."
    assert QUESTION in ran.trace.info.request_preview
    assert ANSWER in ran.trace.info.response_preview


def test_what_the_program_says_of_its_trace_arrives_though_it_ends_at_once(run):
    ran = run("updated")
    info = ran.trace.info
    assert ran.in_mlflow == [("agent", [CHAT, CHAT, "get_weather"])]
    assert info.tags == IsPartialDict({"desk": "north", "mlflow.traceName": "agent"})
    assert info.trace_metadata == IsPartialDict(
        {
            "release": "7",
            "mlflow.trace.session": "talk",
            "mlflow.trace.user": "ada",
            "mlflow.source.name": str(AGENTS),
        }
    )
    assert (info.client_request_id, info.state) == ("request-1", "ERROR")
    assert (info.request_preview, info.response_preview) == (
        "the question",
        "the answer",
    )
    check_totals(ran)


def test_at_the_otlp_endpoint_they_are_genai_spans_without_content(run):
    ran = run("plain")
    found = {span.name: span for span in ran.receiver.spans}
    agent = found["invoke_agent run_tool_agent"]
    tool = found["execute_tool get_weather"]
    assert agent.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "run_tool_agent",
    }
    assert tool.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
    }
    assert (agent.kind, tool.kind) == ("INTERNAL", "INTERNAL")
    assert agent.resource == found[CHAT].resource
    bodies = b"".join(request.body for request in ran.receiver.requests)
    assert bodies
    for content in (b"Paris", b"sunny", b"mlflow.spanInputs"):
        assert content not in bodies


def test_content_is_there_where_capture_is_on(run):
    found = {span.name: span for span in run("plain", **CAPTURED).receiver.spans}
    agent = found["invoke_agent run_tool_agent"].attributes
    (asked,) = json.loads(agent["gen_ai.input.messages"])
    (answered,) = json.loads(agent["gen_ai.output.messages"])
    assert asked["parts"] == [{"type": "text", "content": QUESTION}]
    assert answered["parts"] == [{"type": "text", "content": ANSWER}]
    assert found["execute_tool get_weather"].attributes == IsPartialDict(
        {
            "gen_ai.tool.call.arguments": '{"city": "Paris"}',
            "gen_ai.tool.call.result": "The weather in Paris is always sunny.",
        }
    )


def test_switched_off_they_are_trees_of_their_own(run):
    ran = run("mlflow_first", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="mlflow")
    assert ran.at_otlp.count(CHAT) == 2
    assert len(ran.traces) == 2  # MLflow's own spans went to the OTLP endpoint alone


# --- in every order of arrival


@pytest.mark.parametrize("program", ["mlflow_first", "mlflow_last"])
@pytest.mark.parametrize("ours", [{}, AT_ONCE], ids=["ours batched", "ours at once"])
@pytest.mark.parametrize("theirs", ["true", "false"])
def test_the_totals_are_right_whoever_comes_first(run, program, ours, theirs):
    check(run(program, **ours, MLFLOW_USE_BATCH_SPAN_PROCESSOR=theirs))


def test_the_totals_of_many_calls_are_right(run):
    ran = run("twelve_calls", **AT_ONCE)
    assert ran.in_mlflow == [("agent", [CHAT] * 12 + ["get_weather"] * 6)]
    check_totals(ran)


def test_a_stream_that_is_read_after_the_agent_returned_counts(run):
    check(run("stream_read_later", **AT_ONCE), "streaming_agent")


# --- whatever is set in MLflow, and when


def test_the_server_and_the_experiment_may_be_set_before(run):
    check(run("set_before"))


def test_the_server_and_the_experiment_may_be_set_between(run):
    check(run("set_between"), number=3)


@pytest.mark.parametrize("ours", [{}, AT_ONCE], ids=["ours batched", "ours at once"])
def test_in_a_program_that_stays_mlflows_experiment_prevails(run, ours):
    check(run("other_experiment", " of the code", **ours))


# --- every kind of agent


@pytest.mark.parametrize(
    ("program", "agent"),
    [
        ("async", "async_agent"),
        ("generator", "generator_agent"),
        ("async_generator", "async_generator_agent"),
        ("threaded", "threaded_agent"),
    ],
)
def test_every_kind_of_agent_has_one_tree(run, program, agent):
    check(run(program), agent)


def test_agents_at_the_same_time_have_a_tree_each(run):
    check(run("gathered"), "async_agent", number=2)


def test_a_tool_before_the_first_call_is_there(run):
    ran = run("tool_first")
    assert ran.in_mlflow == [("agent", [CHAT, CHAT, "get_weather", "get_weather"])]
    assert ran.at_otlp == [
        ("invoke_agent agent", [CHAT, CHAT, *["execute_tool get_weather"] * 2])
    ]
    check_totals(ran)


def test_a_tool_that_raises_is_an_error_on_both_sides(run):
    ran = run("tool_that_raises")
    assert ran.in_mlflow == [("run_tool_agent", ["broken_weather", CHAT])]
    assert ran.trace.info.state == "ERROR"
    failed = [span for span in ran.receiver.spans if span.status == "ERROR"]
    assert sorted((span.name, span.attributes["error.type"]) for span in failed) == [
        ("execute_tool broken_weather", "LookupError"),
        ("invoke_agent run_tool_agent", "LookupError"),
    ]
    check_totals(ran)


# --- under a server span


@pytest.mark.parametrize(
    ("program", "agents", "ours", "theirs"),
    [
        ("served", ["async_agent"], {}, "true"),
        ("served", ["async_agent"], AT_ONCE, "false"),
        ("served_from_a_thread", ["run_tool_agent"], {}, "true"),
        ("served_twice", ["run_tool_agent"] * 2, {}, "true"),
        ("served_twice", ["run_tool_agent"] * 2, AT_ONCE, "false"),
        ("served_twice_over_time", ["run_tool_agent"] * 2, AT_ONCE, "true"),
        ("served_gathered", ["async_agent"] * 2, {}, "true"),
    ],
)
def test_under_a_web_request_agents_are_in_its_tree(run, program, agents, ours, theirs):
    ran = run(program, **ours, MLFLOW_USE_BATCH_SPAN_PROCESSOR=theirs)
    ((request, beneath),) = ran.in_mlflow
    assert request == "POST /ask"
    found = [one for one in flat(beneath) if one[0] in agents]
    assert found == [(agent, [CHAT, CHAT, "get_weather"]) for agent in agents]
    ((request, beneath),) = ran.at_otlp
    assert request == "POST /ask"
    assert [one for one in flat(beneath) if one[0].startswith("invoke_agent")] == [
        (f"invoke_agent {agent}", [CHAT, CHAT, "execute_tool get_weather"])
        for agent in agents
    ]
    info = ran.trace.info
    assert (info.tags["mlflow.traceName"], info.state) == (agents[0], "OK")
    assert QUESTION in info.request_preview
    assert ANSWER in info.response_preview
    assert sorted(ids(ran.receiver.spans)) == sorted(
        (at_otlp_name(span), span.trace_id[3:], span.span_id, span.parent_id or "")
        for span in ran.trace.data.spans
    )
    check_totals(ran)


def at_otlp_name(span):
    operation = {"AGENT": "invoke_agent ", "TOOL": "execute_tool "}
    return operation.get(span.span_type, "") + span.name


def test_what_the_program_says_of_its_trace_is_that_of_the_web_request(run):
    ran = run("served_and_updated")
    ((request, beneath),) = ran.in_mlflow
    assert request == "POST /ask"
    agent = ("run_tool_agent", [CHAT, CHAT, "get_weather"])
    assert ("tagged", [agent]) in flat(beneath)
    info = ran.trace.info
    assert info.trace_id in ran.output
    assert info.client_request_id == "request-1"
    assert info.tags == IsPartialDict({"desk": "north", "mlflow.traceName": "tagged"})
    assert info.trace_metadata == IsPartialDict(
        {
            "release": "7",
            "mlflow.trace.session": "talk",
            "mlflow.trace.user": "ada",
        }
    )
    check_totals(ran)


def links(receiver):
    return {
        span.name: [link.trace_id.hex() for link in span.links]
        for request in receiver.requests
        for of_resource in ExportTraceServiceRequest.FromString(
            request.body
        ).resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    }


def test_with_mlflows_own_way_the_web_request_is_in_the_tree(run):
    ran = run("served_in_one_tree")
    ((request, beneath),) = ran.in_mlflow
    assert request == "POST /ask"
    assert ("run_tool_agent", [CHAT, CHAT, "get_weather"]) in flat(beneath)
    assert ran.trace.info.state == "OK"
    assert {span.trace_id for span in ran.receiver.spans} == {
        ran.trace.info.trace_id[3:]
    }
    check_totals(ran)


def flat(beneath):
    for one in beneath:
        yield one
        if isinstance(one, tuple):
            yield from flat(one[1])


# --- where MLflow makes no spans


@pytest.mark.parametrize(
    ("program", "variables"),
    [("disabled", {}), ("plain", {"MLFLOW_TRACE_SAMPLING_RATIO": "0"})],
)
def test_the_calls_arrive_where_mlflow_makes_no_spans(run, program, variables):
    ran = run(program, **variables)
    assert ran.in_mlflow == [CHAT, CHAT]
    assert ran.at_otlp == [CHAT, CHAT]
    check_totals(ran)


@pytest.mark.parametrize("variables", [{}, {"MLFLOW_TRACE_SAMPLING_RATIO": "0"}])
def test_the_calls_keep_their_parent_where_mlflow_makes_no_spans(run, variables):
    program = "plain_in_request" if variables else "disabled_in_request"
    ran = run(program, **variables)
    assert ran.in_mlflow == ran.at_otlp == [("POST /ask", [CHAT, CHAT])]


def test_mlflows_sampler_decides_for_the_whole_tree(run):
    check(
        run(
            "plain",
            OTEL_TRACES_SAMPLER="parentbased_traceidratio",
            OTEL_TRACES_SAMPLER_ARG="0",
        )
    )
