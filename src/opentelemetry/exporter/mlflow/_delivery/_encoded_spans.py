"""Encodes spans as OTLP, and decodes them again.

A request that waits is kept in the form in which it is sent. It is smaller than the
objects of the SDK, its size is known, and it can be stored in a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import SpanFlags
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from opentelemetry.exporter.mlflow._delivery._request_queue import EncodedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.resource.v1 import resource_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

_SPAN_KINDS = {kind.value + 1: kind for kind in SpanKind}


def encode_request(spans: Sequence[ReadableSpan]) -> EncodedRequest:
    """Raises an exception if a span cannot be encoded."""
    return EncodedRequest(encode_spans(spans).SerializePartialToString(), len(spans))


def decode_request(request: EncodedRequest) -> list[ReadableSpan]:
    """Return the spans. Encoded again, they are the same bytes."""
    message = ExportTraceServiceRequest.FromString(request.body)
    spans: list[ReadableSpan] = []
    for resource_spans in message.resource_spans:
        resource = _resource(resource_spans.resource, resource_spans.schema_url)
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope, scope_spans.schema_url)
            spans += [_span(span, resource, scope) for span in scope_spans.spans]
    return spans


def _resource(message: resource_pb2.Resource, schema_url: str) -> Resource:
    # Resource.create() would add attributes of this process.
    return Resource(_attributes(message.attributes), schema_url)


def _scope(
    message: common_pb2.InstrumentationScope, schema_url: str
) -> InstrumentationScope | None:
    if not (message.name or message.version or message.attributes or schema_url):
        return None
    return InstrumentationScope(
        message.name,
        message.version or None,
        schema_url,
        _attributes(message.attributes),
    )


def _span(
    message: trace_pb2.Span, resource: Resource, scope: InstrumentationScope | None
) -> ReadableSpan:
    trace_id = int.from_bytes(message.trace_id, "big")
    is_remote = bool(message.flags & SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
    parent = (
        SpanContext(
            trace_id, int.from_bytes(message.parent_span_id, "big"), is_remote=is_remote
        )
        if message.parent_span_id
        else None
    )
    return ReadableSpan(
        name=message.name,
        context=_context(message, is_remote=False),
        parent=parent,
        resource=resource,
        attributes=_attributes(message.attributes),
        events=[
            Event(event.name, _attributes(event.attributes), event.time_unix_nano)
            for event in message.events
        ],
        links=[
            Link(
                _context(
                    link,
                    is_remote=bool(
                        link.flags & SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
                    ),
                ),
                _attributes(link.attributes),
            )
            for link in message.links
        ],
        kind=_SPAN_KINDS.get(message.kind, SpanKind.INTERNAL),
        status=Status(StatusCode(message.status.code), message.status.message or None),
        start_time=message.start_time_unix_nano,
        end_time=message.end_time_unix_nano,
        instrumentation_scope=scope,
    )


def _context(
    message: trace_pb2.Span | trace_pb2.Span.Link, *, is_remote: bool
) -> SpanContext:
    return SpanContext(
        int.from_bytes(message.trace_id, "big"),
        int.from_bytes(message.span_id, "big"),
        is_remote,
        TraceFlags(TraceFlags.SAMPLED),
        TraceState.from_header([message.trace_state] if message.trace_state else []),
    )


def _attributes(attributes: Iterable[common_pb2.KeyValue]) -> dict[str, Any]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _value(value: common_pb2.AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return tuple(_value(item) for item in value.array_value.values)
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case name:
            return getattr(value, name)
