"""agent.yaml sends spans to a backend without content and to MLflow with content."""

from __future__ import annotations

import pytest
from opentelemetry.trace import StatusCode

from .conftest import (
    AGENT_CONFIG,
    AGENT_SPAN_COUNT,
    CONTENT_EXCERPTS,
    send_spans,
    tracer_for,
    wait_until,
)

pytestmark = pytest.mark.e2e


def request_bodies(receiver, path):
    """Returns the concatenated request bodies that the backend received."""
    return b"".join(
        request.body for request in receiver.requests if request.path == path
    ).decode(errors="replace")


def missing_excerpts(text):
    return [excerpt for excerpt in CONTENT_EXCERPTS if excerpt not in text]


def leaked_excerpts(text):
    return [excerpt for excerpt in CONTENT_EXCERPTS if excerpt in text]


def test_only_mlflow_receives_content(
    make_collector, run_agent, receiver, mlflow_uri, experiment_id, wait_for_agent_trace
):
    with make_collector(
        *AGENT_CONFIG,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
    ) as collector:
        run_agent(collector)
        trace = wait_for_agent_trace()
        wait_until(lambda: len(receiver.spans) == AGENT_SPAN_COUNT and receiver.metrics)
    mlflow_spans = {(span.name, span.span_id) for span in trace.data.spans}
    backend_spans = {(span.name, span.span_id) for span in receiver.spans}
    assert mlflow_spans == backend_spans
    assert trace.info.state == "OK"
    mlflow_attributes = str([span.attributes for span in trace.data.spans])
    assert missing_excerpts(mlflow_attributes) == []
    assert leaked_excerpts(request_bodies(receiver, "/v1/traces")) == []


CONTENT_ATTRIBUTES = [
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
OTHER_ATTRIBUTES = [
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.prompt.name",
    "gen_ai.tool.call.id",
    "gen_ai.tool.name",
    "gen_ai.usage.input_tokens",
    "http.route",
]


@pytest.mark.parametrize("with_events", [False, True])
def test_backend_receives_no_content_of_any_convention(
    make_collector, receiver, with_events
):
    with make_collector(
        *AGENT_CONFIG, BACKEND_OTLP_ENDPOINT=receiver.endpoint
    ) as collector:
        with tracer_for(collector) as tracer:
            span = tracer.start_span(
                "chat",
                attributes=dict.fromkeys(
                    CONTENT_ATTRIBUTES + OTHER_ATTRIBUTES, "a secret"
                ),
            )
            if with_events:
                span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": "a secret"})
                span.record_exception(ValueError("a secret"))
            span.set_status(StatusCode.ERROR, "a secret")
            span.end()
        wait_until(lambda: receiver.spans)
    (span,) = receiver.spans
    assert sorted(span.attributes) == OTHER_ATTRIBUTES
    assert [attributes for _, attributes in span.events] == (
        [{}, {"exception.type": "ValueError", "exception.escaped": "False"}]
        if with_events
        else []
    )
    assert (span.status, span.status_message) == ("ERROR", "")


def test_api_key_is_masked_for_mlflow_and_backend(
    make_collector, receiver, experiment_id, mlflow_uri, wait_for_traces
):
    attributes = {"note": "use sk-0123456789abcdef0123 or Bearer abcdefghijklmnopqrstu"}
    with make_collector(
        *AGENT_CONFIG,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
    ) as collector:
        send_spans(collector, attributes)
        (trace,) = wait_for_traces(experiment_id, lambda traces: traces)
        wait_until(lambda: receiver.spans)
    notes = trace.data.spans[0].attributes["note"], receiver.spans[0].attributes["note"]
    assert notes == ("use **** or ****",) * 2


def test_backend_receives_events_without_content(make_collector, run_agent, receiver):
    with make_collector(
        *AGENT_CONFIG, BACKEND_OTLP_ENDPOINT=receiver.endpoint
    ) as collector:
        run_agent(
            collector,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY",
            OTEL_SEMCONV_STABILITY_OPT_IN="gen_ai_latest_experimental",
        )
        wait_until(lambda: receiver.logs)
    bodies = request_bodies(receiver, "/v1/logs")
    assert "gen_ai.client.inference.operation.details" in bodies
    assert leaked_excerpts(bodies) == []


def test_completion_hook_keeps_content_off_otlp_spans(
    make_collector, run_agent, receiver, mlflow_uri, experiment_id, wait_for_agent_trace
):
    """The OTLP exporter sends to a receiver in place of the collector's `otlp`."""
    with make_collector(
        *AGENT_CONFIG,
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=experiment_id,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
    ) as collector:
        run_agent(
            receiver,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=f"http://127.0.0.1:{collector.port('MLFLOW')}",
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="",
            OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="mlflow",
            OTEL_TRACES_EXPORTER="otlp,mlflow",
        )
        trace = wait_for_agent_trace()
    mlflow_attributes = str([span.attributes for span in trace.data.spans])
    assert missing_excerpts(mlflow_attributes) == []
    assert len(receiver.spans) == AGENT_SPAN_COUNT
    assert leaked_excerpts(request_bodies(receiver, "/v1/traces")) == []
