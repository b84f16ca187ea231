"""The gateway samples complete traces and loses no span when a part of it fails."""

# The parameters of the tests have the names of the imported fixtures.
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
from tests.collector.conftest import wait_until
from tests.collector.gateway import start_agent, start_balancer_and_samplers
from tests.collector.gateway_fixtures import (  # noqa: F401  # fixtures
    agent,
    backend,
    balancer,
    certificate,
    collectors,
    count_spans,
    experiment_id,
    mlflow_client,
    mlflow_writers,
    servers,
    stored_traces,
    tls_settings,
)
from tests.collector.gateway_traces import (
    FORCE_SAMPLING,
    is_complete,
    is_stored_once,
    send_traces,
    tracer_for,
    tracer_provider_for,
)

pytestmark = pytest.mark.e2e

DECIDED_TRACES = "otelcol_processor_tail_sampling_global_count_traces_sampled"
REJECTED_SPANS = "otelcol_exporter_send_failed_spans"


def test_deepseek_call_is_complete_and_only_mlflow_has_its_content(
    monkeypatch, agent, stored_traces, backend
):
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
    )
    instrumentor = DeepSeekInstrumentor()
    with Simulator() as simulator, tracer_provider_for(agent) as provider:
        instrumentor.instrument(
            tracer_provider=provider, hosts=[urlsplit(simulator.base_url).netloc]
        )
        with (
            openai.OpenAI(base_url=simulator.base_url, api_key="any") as client,
            provider.get_tracer("gateway").start_as_current_span(
                "root", attributes=FORCE_SAMPLING
            ) as root,
        ):
            client.chat.completions.create(
                model="deepseek-flash",
                messages=[{"role": "user", "content": "Who wrote Faust?"}],
            )
        instrumentor.uninstrument()
    trace_id = format_trace_id(root.get_span_context().trace_id)
    wait_until(lambda: stored_traces({trace_id}))
    trace = stored_traces({trace_id})[trace_id]
    assert is_complete(trace)
    assert "Who wrote Faust?" in str([span.attributes for span in trace.data.spans])

    def backend_spans():
        return [span for span in backend.spans if span.trace_id == trace_id]

    wait_until(lambda: len(backend_spans()) == 2)
    assert "Faust" not in str(backend_spans())


def test_trace_of_three_agents_is_sampled_completely_in_any_order(
    collectors, servers, mlflow_writers, count_spans, stored_traces, backend
):
    """The parts arrive 10 seconds apart, the last one after the sampling decision."""
    balancer, samplers = start_balancer_and_samplers(
        collectors, servers.kafka, SAMPLING_WAIT="14s", SAMPLING_PERCENT="50"
    )
    agents = [start_agent(collectors, balancer) for _ in range(3)]
    orders = [*itertools.permutations(range(3))] * 8
    with (
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.collector.gateway_remote_service"),
                agents[2].endpoint,
            ],
            stdin=subprocess.PIPE,
            text=True,
        ) as remote_service,
        tracer_for(agents[0]) as root_tracer,
        tracer_for(agents[1]) as child_tracer,
    ):
        roots = [root_tracer.start_span("root") for _ in orders]
        trace_ids = {
            format_trace_id(root.get_span_context().trace_id) for root in roots
        }
        start = time.monotonic()
        for step in range(3):
            time.sleep(max(0, start + 10 * step - time.monotonic()))
            traceparents = []
            for root, order in zip(roots, orders, strict=True):
                match order[step]:
                    case 0:
                        root.end()
                    case 1:
                        for name in ("local", "local 2"):
                            child_tracer.start_span(
                                name, set_span_in_context(root)
                            ).end()
                    case 2:
                        context = root.get_span_context()
                        traceparents.append(
                            f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
                        )
            remote_service.stdin.write(json.dumps(traceparents) + "\n")
            remote_service.stdin.flush()
        remote_service.stdin.close()

    def total(name, **labels):
        return sum(sampler.metric(name, **labels) for sampler in samplers)

    span_names = ["local", "local 2", "remote", "remote child", "root"]
    wait_until(lambda: total("otelcol_receiver_accepted_spans") == 48 * len(span_names))
    accepted = [
        sampler.metric("otelcol_receiver_accepted_spans") for sampler in samplers
    ]
    assert 0 not in accepted
    # Each sampler received complete traces.
    assert [span_count % len(span_names) for span_count in accepted] == [0, 0]
    assert total(DECIDED_TRACES) == 48
    sampled = total(DECIDED_TRACES, sampled="true")
    assert 0 < sampled < 48
    wait_until(lambda: count_spans(trace_ids) == sampled * len(span_names))
    traces = stored_traces(trace_ids)
    assert len(traces) == sampled
    for trace in traces.values():
        assert trace.info.state == "OK"
        assert sorted(span.name for span in trace.data.spans) == span_names
    wait_until(
        lambda: (
            sorted(
                (span.trace_id, span.name)
                for span in backend.spans
                if span.trace_id in trace_ids
            )
            == sorted(itertools.product(traces, span_names))
        )
    )


def test_policies_sample_all_matches_and_a_percentage_of_the_rest(
    agent, count_spans, stored_traces
):
    matching = {
        "error": send_traces(agent, 10, status=StatusCode.ERROR),
        "slow": send_traces(agent, 10, seconds=31),
        "long context": send_traces(agent, 10, {"gen_ai.usage.input_tokens": 32000}),
        "long answer": send_traces(agent, 10, {"gen_ai.usage.output_tokens": 8000}),
        "expensive": send_traces(
            agent, 10, {"mlflow.llm.cost": '{"total_cost": 0.06}'}
        ),
        "forced": send_traces(agent, 10, FORCE_SAMPLING),
    }
    below_threshold = {
        "slow": send_traces(agent, 10, seconds=29),
        "expensive": send_traces(
            agent, 10, {"mlflow.llm.cost": '{"total_cost": 0.04}'}
        ),
        "no cost": send_traces(agent, 10, {"mlflow.llm.cost": "{}"}),
    }
    rest = send_traces(agent, 200)
    wait_until(lambda: count_spans(set().union(*matching.values())) == 120)
    # The expected value is 40 traces; the bounds are 5 standard deviations away.
    wait_until(lambda: 12 < count_spans(rest) / 2 < 68)
    for trace_ids in below_threshold.values():
        assert count_spans(trace_ids) < 2 * 9
    traces = stored_traces(
        set().union(rest, *matching.values(), *below_threshold.values())
    )
    assert all(map(is_complete, traces.values()))


def test_killed_writer_loses_no_span_and_stores_none_twice(
    agent, mlflow_writers, count_spans, stored_traces
):
    trace_ids = send_traces(agent, 60, FORCE_SAMPLING)
    wait_until(lambda: count_spans(trace_ids) > 10)
    mlflow_writers[0].kill()
    mlflow_writers[0].start()
    wait_until(lambda: count_spans(trace_ids) == 120)
    assert all(map(is_stored_once, stored_traces(trace_ids).values()))


def test_kafka_keeps_spans_while_mlflow_is_unavailable(
    agent, servers, mlflow_writers, count_spans, stored_traces
):
    servers.postgres.stop()
    trace_ids = send_traces(agent, 60, FORCE_SAMPLING)
    time.sleep(3)  # until the spans are in Kafka and MLflow could not store them
    mlflow_writers[1].kill()
    servers.postgres.start()
    mlflow_writers[1].start()
    wait_until(lambda: count_spans(trace_ids) == 120, timeout=60)
    assert all(map(is_stored_once, stored_traces(trace_ids).values()))
    assert [writer.metric(REJECTED_SPANS) for writer in mlflow_writers] == [0, 0]


def test_rejected_spans_are_counted_and_do_not_block_others(
    balancer, mlflow_writers, count_spans
):
    def rejected_spans():
        return sum(writer.metric(REJECTED_SPANS) for writer in mlflow_writers)

    rejected_before = rejected_spans()
    # Sent to the balancer, because an agent would shorten the session id.
    invalid = send_traces(balancer, 12, FORCE_SAMPLING | {"session.id": "s" * 251})
    valid = send_traces(balancer, 60, FORCE_SAMPLING)
    wait_until(lambda: count_spans(valid) == 120)
    wait_until(lambda: rejected_spans() == rejected_before + 24)
    assert count_spans(invalid) == 0


def test_backend_receives_no_content(agent, count_spans, stored_traces, backend):
    messages = '[{"role": "user", "parts": [{"type": "text", "content": "a secret"}]}]'
    trace_ids = send_traces(
        agent, 1, FORCE_SAMPLING | {"gen_ai.input.messages": messages}
    )
    wait_until(lambda: count_spans(trace_ids) == 2)
    (trace,) = stored_traces(trace_ids).values()
    assert "a secret" in str([span.attributes for span in trace.data.spans])
    wait_until(lambda: {span.trace_id for span in backend.spans} >= trace_ids)
    assert not any(b"a secret" in request.body for request in backend.requests)


def test_gateway_with_tls_rejects_wrong_tokens_and_plaintext(
    collectors, servers, mlflow_writers, tls_settings, count_spans
):
    secure_files = ("secure.yaml", "gateway/secure.yaml")
    sampler = collectors.start(
        *("gateway/sampler.yaml", *secure_files, "gateway/secure-kafka.yaml"),
        KAFKA_BROKERS=servers.kafka.tls_brokers,
        SAMPLING_WAIT="1s",
        **tls_settings,
    )
    dns_settings = {
        "SAMPLERS_NAME": "127.0.0.1",
        "SAMPLERS_PORT": str(sampler.port("GRPC")),
    }
    balancers = [
        collectors.start(
            *("gateway/balancer.yaml", "gateway/dns.yaml", *secure_files),
            **(tls_settings | dns_settings | overrides),
        )
        for overrides in ({}, {"SAMPLER_AUTHORIZATION": "Bearer wrong"})
    ]
    authorized, *unauthorized = (
        start_agent(collectors, balancer, **(tls_settings | overrides))
        for balancer, overrides in (
            (balancers[0], {}),
            (balancers[0], {"GATEWAY_AUTHORIZATION": "Bearer wrong"}),
            (balancers[0], {"GATEWAY_INSECURE": "true", "GATEWAY_CA": ""}),
            (balancers[1], {}),
        )
    )
    rejected = [send_traces(agent, 1, FORCE_SAMPLING) for agent in unauthorized]
    trace_ids = send_traces(authorized, 10, FORCE_SAMPLING)
    wait_until(lambda: count_spans(trace_ids) == 20)
    assert [count_spans(rejected_ids) for rejected_ids in rejected] == [0, 0, 0]
    assert sampler.metric("otelcol_receiver_accepted_spans") == 20


def test_spans_read_from_kafka_again_are_stored_once(
    collectors, servers, experiment_id, tls_settings, stored_traces
):
    def trace_summaries():
        return {
            trace_id: (len(trace.data.spans), trace.info.state, trace.info.token_usage)
            for trace_id, trace in stored_traces().items()
        }

    before = trace_summaries()
    second_writer = collectors.start(
        *("gateway/writer-mlflow.yaml", "gateway/secure-kafka.yaml"),
        KAFKA_BROKERS=servers.kafka.tls_brokers,
        KAFKA_GROUP="second",
        MLFLOW_TRACKING_URI=servers.mlflow_uris[0],
        MLFLOW_EXPERIMENT_ID=experiment_id,
        **tls_settings,
    )
    span_count = sum(count for count, _, _ in before.values())
    wait_until(
        lambda: second_writer.metric("otelcol_exporter_sent_spans") >= span_count
    )
    assert trace_summaries() == before
