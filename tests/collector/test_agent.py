"""agent.yaml: spans go to a backend without content, and to MLflow with it."""

from __future__ import annotations

import pytest
from opentelemetry.trace import StatusCode

from .conftest import AGENT, SAID, SPANS, eventually, said, tracing

pytestmark = pytest.mark.e2e


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
