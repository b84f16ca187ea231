"""gateway/: agents, balancer, samplers, Kafka, writers, MLflow on PostgreSQL."""

# A test asks for fixtures by the names under which they are imported.
# ruff: noqa: F811

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from urllib.parse import urlsplit

import openai
import pytest
from opentelemetry.trace import StatusCode, format_trace_id, set_span_in_context

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from tests.collector.conftest import eventually
from tests.collector.gateway import agent, tiers
from tests.collector.gateway_running import (  # noqa: F401  # fixtures
    backend,
    balancer,
    certificate,
    collectors,
    count,
    experiment,
    mlflow,
    quick,
    running,
    secrets,
    stored,
    writers,
)
from tests.collector.gateway_traces import (
    FORCED,
    is_counted_once,
    is_whole,
    providing,
    send,
    tracing,
)

pytestmark = pytest.mark.e2e

DECIDED = "otelcol_processor_tail_sampling_global_count_traces_sampled"
REFUSED = "otelcol_exporter_send_failed_spans"


def test_a_call_arrives_whole_with_what_was_said_at_mlflow_alone(
    monkeypatch, quick, stored, backend
):
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
    )
    instrumentor = DeepSeekInstrumentor()
    with Simulator() as simulator, providing(quick) as provider:
        instrumentor.instrument(
            tracer_provider=provider, hosts=[urlsplit(simulator.base_url).netloc]
        )
        with (
            openai.OpenAI(base_url=simulator.base_url, api_key="any") as deepseek,
            provider.get_tracer("gateway").start_as_current_span(
                "root", attributes=FORCED
            ) as root,
        ):
            deepseek.chat.completions.create(
                model="deepseek-flash",
                messages=[{"role": "user", "content": "Who wrote Faust?"}],
            )
        instrumentor.uninstrument()
    (one,) = [format_trace_id(root.get_span_context().trace_id)]
    eventually(lambda: stored({one}))
    trace = stored({one})[one]
    assert is_whole(trace)
    assert "Who wrote Faust?" in str([span.attributes for span in trace.data.spans])
    eventually(lambda: len([s for s in backend.spans if s.trace_id == one]) == 2)
    assert "Faust" not in str([s for s in backend.spans if s.trace_id == one])


def test_a_trace_of_three_agents_is_whole_and_sampled_whole(
    collectors, running, writers, count, stored, backend
):
    """In any order of its parts, ten seconds apart, the last after the decision."""
    balancer, samplers = tiers(
        collectors, running.kafka, SAMPLING_WAIT="14s", SAMPLING_PERCENT="50"
    )
    agents = [agent(collectors, balancer) for _ in range(3)]
    orders = [*itertools.permutations(range(3))] * 8
    with (
        subprocess.Popen(
            [sys.executable, "-m", "tests.collector.gateway_part", agents[2].endpoint],
            stdin=subprocess.PIPE,
            text=True,
        ) as elsewhere,
        tracing(agents[0]) as first,
        tracing(agents[1]) as second,
    ):
        roots = [first.start_span("root") for _ in orders]
        ids = {format_trace_id(one.get_span_context().trace_id) for one in roots}
        began = time.monotonic()
        for turn in range(3):
            time.sleep(max(0, began + 10 * turn - time.monotonic()))
            abroad = []
            for root, order in zip(roots, orders, strict=True):
                match order[turn]:
                    case 0:
                        root.end()
                    case 1:
                        for name in ("here", "and here"):
                            second.start_span(name, set_span_in_context(root)).end()
                    case 2:
                        context = root.get_span_context()
                        abroad.append(
                            f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
                        )
            elsewhere.stdin.write(json.dumps(abroad) + "\n")
            elsewhere.stdin.flush()
        elsewhere.stdin.close()

    def total(name, **labels):
        return sum(one.metric(name, **labels) for one in samplers)

    names = ["and here", "deep elsewhere", "elsewhere", "here", "root"]
    eventually(lambda: total("otelcol_receiver_accepted_spans") == 48 * len(names))
    accepted = [one.metric("otelcol_receiver_accepted_spans") for one in samplers]
    assert 0 not in accepted
    assert [spans % len(names) for spans in accepted] == [0, 0]  # whole traces each
    assert total(DECIDED) == 48
    kept = total(DECIDED, sampled="true")
    assert 0 < kept < 48
    names = ["and here", "deep elsewhere", "elsewhere", "here", "root"]
    eventually(lambda: count(ids) == kept * len(names))
    found = stored(ids)
    assert len(found) == kept
    for trace in found.values():
        assert trace.info.state == "OK"
        assert sorted(span.name for span in trace.data.spans) == names
    eventually(
        lambda: (
            sorted(
                (span.trace_id, span.name)
                for span in backend.spans
                if span.trace_id in ids
            )
            == sorted(itertools.product(found, names))
        )
    )


def test_what_matters_is_kept_and_a_share_of_the_rest(quick, count, stored):
    kept = {
        "an error": send(quick, 10, status=StatusCode.ERROR),
        "slow": send(quick, 10, seconds=31),
        "long context": send(quick, 10, {"gen_ai.usage.input_tokens": 32000}),
        "long answer": send(quick, 10, {"gen_ai.usage.output_tokens": 8000}),
        "expensive": send(quick, 10, {"mlflow.llm.cost": '{"total_cost": 0.06}'}),
        "forced": send(quick, 10, FORCED),
    }
    almost = {
        "slow": send(quick, 10, seconds=29),
        "expensive": send(quick, 10, {"mlflow.llm.cost": '{"total_cost": 0.04}'}),
        "no cost": send(quick, 10, {"mlflow.llm.cost": "{}"}),
    }
    rest = send(quick, 200)
    eventually(lambda: count(set().union(*kept.values())) == 120)
    # Five standard deviations to each side.
    eventually(lambda: 12 < count(rest) / 2 < 68)
    for ids in almost.values():
        assert count(ids) < 2 * 9
    everything = stored(set().union(rest, *kept.values(), *almost.values()))
    assert all(map(is_whole, everything.values()))


def test_a_writer_killed_loses_nothing_and_stores_nothing_twice(
    quick, writers, count, stored
):
    ids = send(quick, 60, FORCED)
    eventually(lambda: count(ids) > 10)
    writers[0].kill()
    writers[0].start()
    eventually(lambda: count(ids) == 120)
    assert all(map(is_counted_once, stored(ids).values()))


def test_while_mlflow_is_away_kafka_holds(quick, running, writers, count, stored):
    running.postgres.stop()
    ids = send(quick, 60, FORCED)
    time.sleep(3)  # in Kafka, and refused by MLflow
    writers[1].kill()
    running.postgres.start()
    writers[1].start()
    eventually(lambda: count(ids) == 120, patience=60)
    assert all(map(is_counted_once, stored(ids).values()))
    assert [one.metric(REFUSED) for one in writers] == [0, 0]


def test_what_mlflow_refuses_is_counted_and_holds_nobody(balancer, writers, count):
    refused = sum(one.metric(REFUSED) for one in writers)
    # Past the agent, which would have shortened it.
    poison = send(balancer, 12, FORCED | {"session.id": "s" * 251})
    good = send(balancer, 60, FORCED)
    eventually(lambda: count(good) == 120)
    eventually(lambda: sum(one.metric(REFUSED) for one in writers) == refused + 24)
    assert count(poison) == 0


def test_the_backend_gets_no_content(quick, count, stored, backend):
    said = '[{"role": "user", "parts": [{"type": "text", "content": "a secret"}]}]'
    ids = send(quick, 1, FORCED | {"gen_ai.input.messages": said})
    eventually(lambda: count(ids) == 2)
    (trace,) = stored(ids).values()
    assert "a secret" in str([span.attributes for span in trace.data.spans])
    eventually(lambda: {span.trace_id for span in backend.spans} >= ids)
    assert not any(b"a secret" in request.body for request in backend.requests)


def test_with_tls_and_tokens_a_stranger_gets_nothing_in(
    collectors, running, writers, secrets, count
):
    secured = ("secure.yaml", "gateway/secure.yaml")
    sampler = collectors.start(
        *("gateway/sampler.yaml", *secured, "gateway/secure-kafka.yaml"),
        KAFKA_BROKERS=running.kafka.secured_brokers,
        SAMPLING_WAIT="1s",
        **secrets,
    )
    where = {"SAMPLERS_NAME": "127.0.0.1", "SAMPLERS_PORT": str(sampler.port("GRPC"))}
    balancers = [
        collectors.start(
            *("gateway/balancer.yaml", "gateway/dns.yaml", *secured),
            **(secrets | where | changed),
        )
        for changed in ({}, {"SAMPLER_AUTHORIZATION": "Bearer stranger"})
    ]
    known, *strangers = (
        agent(collectors, balancer, **(secrets | changed))
        for balancer, changed in (
            (balancers[0], {}),
            (balancers[0], {"GATEWAY_AUTHORIZATION": "Bearer stranger"}),
            (balancers[0], {"GATEWAY_INSECURE": "true", "GATEWAY_CA": ""}),
            (balancers[1], {}),
        )
    )
    refused = [send(one, 1, FORCED) for one in strangers]
    ids = send(known, 10, FORCED)
    eventually(lambda: count(ids) == 20)
    assert [count(one) for one in refused] == [0, 0, 0]
    assert sampler.metric("otelcol_receiver_accepted_spans") == 20


def test_reading_all_of_kafka_again_stores_nothing_twice(
    collectors, running, experiment, secrets, stored
):
    def everything():
        return {
            key: (len(one.data.spans), one.info.state, one.info.token_usage)
            for key, one in stored().items()
        }

    before = everything()
    again = collectors.start(
        *("gateway/writer-mlflow.yaml", "gateway/secure-kafka.yaml"),
        KAFKA_BROKERS=running.kafka.secured_brokers,
        KAFKA_GROUP="again",
        MLFLOW_TRACKING_URI=running.mlflow[0],
        MLFLOW_EXPERIMENT_ID=experiment,
        **secrets,
    )
    spans = sum(count for count, _, _ in before.values())
    eventually(lambda: again.metric("otelcol_exporter_sent_spans") >= spans)
    assert everything() == before
