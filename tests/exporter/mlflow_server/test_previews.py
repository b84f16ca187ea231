"""The request and response previews in MLflow's list of traces."""

from __future__ import annotations

import json
import uuid

import pytest
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow._replace_span import replace_span

from .agent_spans import PROMPT, make_chat_span, message, text_part
from .conftest import IGNORE_STORE_WARNING

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]


def test_fim_completion_has_previews(server, spans):
    make_chat_span(
        spans,
        [message("user", text_part("def fib(a):"))],
        message("assistant", text_part("return 1"), finish_reason="stop"),
        **{"gen_ai.operation.name": "text_completion"},
    )
    (span,) = spans.take()
    server.export([span])
    info = server.read_trace(span).info
    assert (info.request_preview, info.response_preview) == ("def fib(a):", "return 1")


def test_agent_span_shows_its_own_messages(server, spans):
    with spans.tracer.start_as_current_span(
        "invoke_agent",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.input.messages": json.dumps([message("user", text_part("Plan."))]),
            "gen_ai.output.messages": json.dumps(
                [message("assistant", text_part("Done."))]
            ),
        },
    ):
        make_chat_span(spans, PROMPT, message("assistant", text_part("Step 1.")))
    finished_spans = spans.take()
    server.export(finished_spans)
    info = server.read_trace(finished_spans[-1]).info
    assert (info.request_preview, info.response_preview) == ("Plan.", "Done.")


def test_root_span_of_another_convention_shows_its_own_values(server, spans):
    with spans.tracer.start_as_current_span(
        "chain",
        attributes={
            "openinference.span.kind": "AGENT",
            "input.value": '{"q": "Own?"}',
            "output.value": '{"a": "Own."}',
        },
    ):
        make_chat_span(spans, PROMPT, message("assistant", text_part("Step 1.")))
    finished_spans = spans.take()
    server.export(finished_spans)
    trace = server.read_trace(finished_spans[-1])
    assert trace.info.request_preview == '{"q": "Own?"}'
    assert trace.info.response_preview == '{"a": "Own."}'
    assert trace.data.spans[0].span_type == "AGENT"


def test_trace_without_content_has_no_previews_but_token_usage(mlflow, spans):
    with spans.tracer.start_as_current_span("POST /ask"):
        make_chat_span(spans, [], {})
        with spans.tracer.start_as_current_span(
            "chat m",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.usage.input_tokens": 7,
                "gen_ai.usage.output_tokens": 0,
            },
        ):
            pass
    finished_spans = spans.take()[1:]
    mlflow.export(finished_spans)
    trace = mlflow.read_trace(finished_spans[-1])
    assert trace.info.token_usage == {
        "input_tokens": 7,
        "output_tokens": 0,
        "total_tokens": 7,
    }
    assert not trace.info.request_preview
    assert [(span.inputs, span.outputs) for span in trace.data.spans] == [
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize(("promote", "state"), [(True, "OK"), (False, "IN_PROGRESS")])
def test_trace_with_remote_root_is_in_progress_unless_promoted(
    server, spans, promote, state
):
    trace_id = uuid.uuid4().int
    remote = SpanContext(trace_id, 1, is_remote=True, trace_flags=TraceFlags(1))
    context = set_span_in_context(NonRecordingSpan(remote))
    with spans.tracer.start_as_current_span("handler", context=context):
        make_chat_span(spans, PROMPT, message("assistant", text_part("21 °C.")))
    finished_spans = spans.take()
    server.export(finished_spans, promote_remote_root=promote)
    info = server.read_trace(finished_spans[-1]).info
    assert info.state.value == state
    assert info.request_preview == ("Paris?" if promote else None)
    assert info.token_usage["total_tokens"] == 1100


def test_messages_that_the_sdk_has_cut_are_readable(server, spans):
    story = 'The "whole" story. ' * 30
    with spans.tracer.start_as_current_span("POST /ask"):
        make_chat_span(
            spans,
            [message("user", text_part(story))],
            message("assistant", text_part(story)),
        )
    finished_spans = [truncate_attributes(span, 400) for span in spans.take()]
    server.export(finished_spans)
    trace = server.read_trace(finished_spans[-1])
    assert trace.info.request_preview.startswith('The "whole" story. The')
    assert trace.info.response_preview.startswith('The "whole" story. The')
    _, call = trace.data.spans
    (question,) = call.inputs["messages"]
    assert question["content"].endswith("…")


def truncate_attributes(span, limit):
    """Return the span as with OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT."""
    attributes = {
        name: value[:limit] if isinstance(value, str) else value
        for name, value in span.attributes.items()
    }
    return replace_span(span, attributes=attributes)
