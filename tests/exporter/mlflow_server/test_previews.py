"""The question and the answer of a trace, as MLflow lists it."""

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

from .agents import HISTORY, chat, message, text
from .conftest import OPENS_A_STORE

pytestmark = [pytest.mark.e2e, OPENS_A_STORE]


def test_a_fim_completion_is_a_question_and_an_answer(server, spans):
    chat(
        spans,
        [message("user", text("def fib(a):"))],
        message("assistant", text("return 1"), finish_reason="stop"),
        **{"gen_ai.operation.name": "text_completion"},
    )
    (span,) = spans.take()
    server.export([span])
    info = server.trace(span).info
    assert (info.request_preview, info.response_preview) == ("def fib(a):", "return 1")


def test_an_agent_span_shows_its_own_messages(server, spans):
    with spans.tracer.start_as_current_span(
        "invoke_agent",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.input.messages": json.dumps([message("user", text("Plan."))]),
            "gen_ai.output.messages": json.dumps([message("assistant", text("Done."))]),
        },
    ):
        chat(spans, HISTORY, message("assistant", text("Step 1.")))
    ended = spans.take()
    server.export(ended)
    info = server.trace(ended[-1]).info
    assert (info.request_preview, info.response_preview) == ("Plan.", "Done.")


def test_a_root_in_another_convention_shows_its_own_words(server, spans):
    with spans.tracer.start_as_current_span(
        "chain",
        attributes={
            "openinference.span.kind": "AGENT",
            "input.value": '{"q": "Own?"}',
            "output.value": '{"a": "Own."}',
        },
    ):
        chat(spans, HISTORY, message("assistant", text("Step 1.")))
    ended = spans.take()
    server.export(ended)
    trace = server.trace(ended[-1])
    assert trace.info.request_preview == '{"q": "Own?"}'
    assert trace.info.response_preview == '{"a": "Own."}'
    assert trace.data.spans[0].span_type == "AGENT"


def test_without_content_there_is_no_word_and_all_the_numbers(mlflow, spans):
    with spans.tracer.start_as_current_span("POST /ask"):
        chat(spans, [], {})
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
    ended = spans.take()[1:]
    mlflow.export(ended)
    trace = mlflow.trace(ended[-1])
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
def test_a_root_elsewhere_leaves_the_trace_open_unless_promoted(
    server, spans, promote, state
):
    number = uuid.uuid4().int
    remote = SpanContext(number, 1, is_remote=True, trace_flags=TraceFlags(1))
    context = set_span_in_context(NonRecordingSpan(remote))
    with spans.tracer.start_as_current_span("handler", context=context):
        chat(spans, HISTORY, message("assistant", text("21 °C.")))
    ended = spans.take()
    server.export(ended, promote_remote_root=promote)
    info = server.trace(ended[-1]).info
    assert info.state.value == state
    assert info.request_preview == ("Paris?" if promote else None)
    assert info.token_usage["total_tokens"] == 1100
