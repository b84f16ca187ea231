"""Spans that wait in the form in which they are sent."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow._delivery._encoded_spans import (
    decode_request,
    encode_request,
)
from opentelemetry.exporter.mlflow._replace_span import replace_span

REMOTE = SpanContext(
    5, 6, True, TraceFlags(1), TraceState([("vendor", "one"), ("other", "two")])
)
ATTRIBUTES = {
    "text": "Wie heißt 🐘?",
    "boolean": True,
    "number": -(2**63),
    "fraction": 0.1,
    "list": ("a", "b"),
    "numbers": (1, 2),
    "empty": (),
}


def finished_spans():
    exporter = InMemorySpanExporter()
    resource = Resource({"service.name": "shop"}, "https://schema.test/1")
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("a", "1.0", "https://schema.test/2", {"scope": 1})
    context = set_span_in_context(NonRecordingSpan(REMOTE))
    with (
        tracer.start_as_current_span(
            "root",
            context,
            SpanKind.SERVER,
            ATTRIBUTES,
            # The SDK does not encode the trace state of a link.
            [Link(SpanContext(7, 8, True, TraceFlags(1)), {"reason": "retry"})],
        ) as root,
        provider.get_tracer("b", "2").start_as_current_span("child") as child,
    ):
        root.add_event("chosen", ATTRIBUTES)
        child.set_status(StatusCode.ERROR, "it failed")
    return list(exporter.get_finished_spans())


def test_decoded_spans_are_those_that_were_encoded():
    spans = finished_spans()
    request = encode_request(spans)
    decoded = decode_request(request)
    assert request.span_count == len(decoded) == 2
    # They are grouped by resource and scope, in the order of the first span of each.
    assert [span.to_json() for span in decoded] == [span.to_json() for span in spans]
    assert [span.parent.is_remote for span in decoded] == [False, True]
    assert [span.resource.schema_url for span in decoded] == 2 * [
        "https://schema.test/1"
    ]
    assert [span.instrumentation_scope for span in decoded] == [
        span.instrumentation_scope for span in spans
    ]
    assert encode_request(decoded) == request


def test_unusual_spans_are_encoded_to_the_same_bytes(spans):
    unusual = [
        replace_span(
            spans.make(), attributes={"none": None, "map": {"a": {"b": b"c"}}}
        ),
        replace_span(spans.make(), instrumentation_scope=None),
    ]
    request = encode_request(unusual)
    decoded = decode_request(request)
    assert decoded[0].attributes == {"none": None, "map": {"a": {"b": b"c"}}}
    assert decoded[1].instrumentation_scope is None
    assert encode_request(decoded) == request
