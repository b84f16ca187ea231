"""Makes spans of model calls, with the inputs and outputs that MLflow shows."""

from __future__ import annotations

import json

from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from opentelemetry import trace


def make_remote_parent(trace_id=0x1234):
    """Return the context of a span in another process."""
    return SpanContext(trace_id, 0x5678, is_remote=True, trace_flags=TraceFlags(1))


REMOTE_PARENT = make_remote_parent()


def encode_messages(role, content):
    parts = [{"type": "text", "content": content}] if content else []
    return json.dumps([{"role": role, "parts": parts}])


def record_chat(spans, question="", answer="", **attributes):
    chat_attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    if question:
        chat_attributes["gen_ai.input.messages"] = encode_messages("user", question)
    if answer is not None:
        chat_attributes["gen_ai.output.messages"] = encode_messages("assistant", answer)
    with spans.tracer.start_as_current_span(
        "chat m", attributes=chat_attributes | attributes
    ):
        pass


def handle_request(spans, parent, question="What?", **attributes):
    """Return a model call and its parent, a service's span beneath `parent`."""
    context = trace.set_span_in_context(NonRecordingSpan(parent))
    with spans.tracer.start_as_current_span(
        "POST /answer", context=context, attributes=attributes
    ):
        spans.tracer.start_span(
            "chat m",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": encode_messages("user", question),
                "gen_ai.output.messages": encode_messages("assistant", "That."),
            },
        ).end()
    return spans.take()


def get_attributes(translated, name):
    (match,) = [span for span in translated if span.name == name]
    return dict(match.attributes)


def encode_inputs(question):
    return json.dumps({"messages": [{"role": "user", "content": question}]})


def encode_outputs(answer):
    message = {"role": "assistant", "content": answer}
    return json.dumps({"choices": [{"message": message}]})
