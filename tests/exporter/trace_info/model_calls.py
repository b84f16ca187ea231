"""Model calls beneath a root, and what it borrows of them."""

from __future__ import annotations

import json

from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from opentelemetry import trace


def remote(trace_id=0x1234):
    """A parent in another process."""
    return SpanContext(trace_id, 0x5678, is_remote=True, trace_flags=TraceFlags(1))


REMOTE = remote()


def message_parts(role, content):
    parts = [{"type": "text", "content": content}] if content else []
    return json.dumps([{"role": role, "parts": parts}])


def chat(spans, question="", answer="", **more):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    if question:
        attributes["gen_ai.input.messages"] = message_parts("user", question)
    if answer is not None:
        attributes["gen_ai.output.messages"] = message_parts("assistant", answer)
    with spans.tracer.start_as_current_span("chat m", attributes=attributes | more):
        pass


def handle_request(spans, above, question="What?", **more):
    """A service's own span, under a parent in another process, and a call in it."""
    context = trace.set_span_in_context(NonRecordingSpan(above))
    with spans.tracer.start_as_current_span(
        "POST /answer", context=context, attributes=more
    ):
        spans.tracer.start_span(
            "chat m",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": message_parts("user", question),
                "gen_ai.output.messages": message_parts("assistant", "That."),
            },
        ).end()
    return spans.take()


def attributes_of(translated, name):
    (found,) = [span for span in translated if span.name == name]
    return dict(found.attributes)


def chat_inputs(question):
    return json.dumps({"messages": [{"role": "user", "content": question}]})


def chat_outputs(answer):
    message = {"role": "assistant", "content": answer}
    return json.dumps({"choices": [{"message": message}]})
