"""agent.yaml: spans go to a backend without content, and to MLflow with it."""

from __future__ import annotations

import json
import re
import time

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import StatusCode

from .conftest import AGENT, eventually, said, tracing

pytestmark = pytest.mark.e2e

SPANS = 5  # of the quickstart's agent
SAID = ("Paris", "light rain", "leaves at dawn", "A haiku", "Weather of a city")
# What differs from run to run.
OWN = re.compile(r"session\.id|server\.port|.*(fingerprint|trace_id|time_to_\w+)")
RANDOM = re.compile(r"call_00_\w+|\w{8}(-\w{4}){3}-\w{12}|tr-\w{32}")


@pytest.fixture
def arrived(traces, experiment):
    """The trace, once all of its spans are there."""

    def arrived(of=experiment):
        (trace,) = traces(of, lambda t: t and len(t[0].data.spans) == SPANS)
        return trace

    return arrived


def bodies(receiver, path):
    """Every byte that the backend got."""
    return b"".join(one.body for one in receiver.requests if one.path == path).decode(
        errors="replace"
    )


def test_content_reaches_mlflow_alone(
    collector, agent, receiver, mlflow_uri, experiment, arrived
):
    with collector(
        *AGENT,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment,
    ) as running:
        agent(running)
        trace = arrived()
        eventually(lambda: len(receiver.spans) == SPANS and receiver.metrics)
    ours = {(span.name, span.span_id) for span in trace.data.spans}
    theirs = {(span.name, span.span_id) for span in receiver.spans}
    assert ours == theirs
    assert trace.info.state == "OK"
    kept = str([span.attributes for span in trace.data.spans])
    assert [word for word in SAID if word not in kept] == []
    sent = bodies(receiver, "/v1/traces")
    assert [word for word in SAID if word in sent] == []


CONTENT = [
    "ai.prompt.messages",
    "ai.toolCall.args",
    "all_messages_events",
    "gen_ai.completion.0.content",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.retrieval.query.text",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "input.value",
    "langfuse.observation.input",
    "llm.input_messages.0.message.content",
    "mlflow.chat.tools",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
]
NO_CONTENT = [
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.prompt.name",
    "gen_ai.tool.call.id",
    "gen_ai.tool.name",
    "gen_ai.usage.input_tokens",
    "http.route",
]


@pytest.mark.parametrize("with_events", [False, True])
def test_content_in_whosever_words_stays_away_from_the_backend(
    collector, receiver, with_events
):
    with collector(*AGENT, BACKEND_OTLP_ENDPOINT=receiver.endpoint) as running:
        with tracing(running) as tracer:
            span = tracer.start_span(
                "chat", attributes=dict.fromkeys(CONTENT + NO_CONTENT, "a secret")
            )
            if with_events:
                span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": "a secret"})
                span.record_exception(ValueError("a secret"))
            span.set_status(StatusCode.ERROR, "a secret")
            span.end()
        eventually(lambda: receiver.spans)
    (arrived,) = receiver.spans
    assert sorted(arrived.attributes) == NO_CONTENT
    assert [attributes for _, attributes in arrived.events] == (
        [{}, {"exception.type": "ValueError", "exception.escaped": "False"}]
        if with_events
        else []
    )
    assert (arrived.status, arrived.status_message) == ("ERROR", "")


def test_an_api_key_is_masked_on_every_way(
    collector, receiver, experiment, mlflow_uri, traces
):
    said_key = {"note": "use sk-0123456789abcdef0123 or Bearer abcdefghijklmnopqrstu"}
    with collector(
        *AGENT,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment,
    ) as running:
        said(running, said_key)
        (trace,) = traces(experiment, lambda found: found)
        eventually(lambda: receiver.spans)
    notes = trace.data.spans[0].attributes["note"], receiver.spans[0].attributes["note"]
    assert notes == ("use **** or ****",) * 2


def test_events_reach_the_backend_without_content(collector, agent, receiver):
    with collector(*AGENT, BACKEND_OTLP_ENDPOINT=receiver.endpoint) as running:
        agent(
            running,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY",
            OTEL_SEMCONV_STABILITY_OPT_IN="gen_ai_latest_experimental",
        )
        eventually(lambda: receiver.logs)
    sent = bodies(receiver, "/v1/logs")
    assert "gen_ai.client.inference.operation.details" in sent
    assert [word for word in SAID if word in sent] == []


def test_by_way_of_the_collector_a_trace_is_as_sent_directly(
    collector, agent, mlflow_uri, mlflow, experiment, receiver, arrived
):
    """Plain spans go to the backend meanwhile, and not to MLflow."""
    agent(
        receiver,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment,
        OTEL_TRACES_EXPORTER="mlflow",
    )
    direct = arrived()
    through = mlflow.create_experiment(f"through {time.time_ns()}")
    with collector(
        *AGENT,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=through,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
    ) as running:
        agent(
            running,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{running.port('MLFLOW')}",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        collected = arrived(through)
        eventually(lambda: len(receiver.spans) == SPANS)
    assert looks(collected) == looks(direct)
    assert {span.span_id for span in receiver.spans} == {
        span.span_id for span in collected.data.spans
    }
    assert [
        name
        for span in receiver.spans
        for name in span.attributes
        if name.startswith("mlflow.")
    ] == []


def looks(trace):
    """All that MLflow knows of it, but for when it was and whose ids it has."""
    info = trace.info
    return (
        {
            key: value
            for key, value in info.tags.items()
            if key != "mlflow.artifactLocation"
        },
        {
            key: value
            for key, value in info.trace_metadata.items()
            if key not in {"mlflow.trace.session", "mlflow.trace.sizeBytes"}
            and not key.startswith("mlflow.trace.sizeStats")
        },
        info.request_preview,
        info.response_preview,
        info.state,
        sorted(
            (
                span.name,
                span.span_type,
                RANDOM.sub(
                    "…",
                    json.dumps(
                        {k: v for k, v in span.attributes.items() if not OWN.match(k)},
                        sort_keys=True,
                    ),
                ),
            )
            for span in trace.data.spans
        ),
    )


def test_what_a_plain_span_lacks_in_mlflow_is_what_the_readme_says(
    collector, agent, mlflow_uri, experiment, arrived
):
    with collector(
        *AGENT, MLFLOW_TRACKING_URI=mlflow_uri, MLFLOW_EXPERIMENT_ID=experiment
    ) as running:
        agent(running)
        trace = arrived()
    info = trace.info
    assert {
        "name": info.tags.get("mlflow.traceName"),
        "previews": (info.request_preview, info.response_preview),
        "types": sorted({str(span.span_type) for span in trace.data.spans}),
        "session": "mlflow.trace.session" in info.trace_metadata,
        "user": info.trace_metadata.get("mlflow.trace.user"),
        "tokens": info.token_usage,
        "tools": any("mlflow.chat.tools" in s.attributes for s in trace.data.spans),
        "costs": any("mlflow.llm.cost" in s.attributes for s in trace.data.spans),
    } == snapshot(
        {
            "name": "weather talk",
            "previews": (None, None),
            "types": ["CHAT_MODEL", "None", "TOOL"],
            "session": True,
            "user": "ada",
            "tokens": {
                "input_tokens": 1264,
                "output_tokens": 115,
                "total_tokens": 1379,
                "cache_read_input_tokens": 832,
            },
            "tools": True,
            "costs": True,
        }
    )


def test_content_for_mlflow_alone_is_on_no_plain_span(
    collector, agent, receiver, mlflow_uri, experiment, arrived
):
    """The receiver stands here where the collector's plain receiver would."""
    with collector(
        *AGENT,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
    ) as running:
        agent(
            receiver,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{running.port('MLFLOW')}",
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="",
            OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="mlflow",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        kept = str([span.attributes for span in arrived().data.spans])
    assert [word for word in SAID if word not in kept] == []
    assert len(receiver.spans) == SPANS
    sent = bodies(receiver, "/v1/traces")
    assert [word for word in SAID if word in sent] == []
