"""Mirrors fluent spans on the application's tracer provider, with the same ids.

A mirror passes through the application's span processors, with its resource, to all of
its exporters. It has the form of the GenAI conventions. Spans beneath a fluent span
find their parent because the ids are equal. `MlflowSpanExporter` replaces the mirror by
the span that MLflow made, with its content.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, Tracer
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import (
    ids_of,
    started_spans,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._to_genai import (
    decode_attributes,
    to_genai,
)
from opentelemetry.exporter.mlflow.version import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import SamplingResult
    from opentelemetry.trace import TracerProvider

# Only the bridge asks for a tracer with this name.
_SCOPE = "opentelemetry.exporter.mlflow"


class FluentSpan(ReadableSpan):
    """A fluent span with the parent and the resource that its mirror has.

    `is_mlflow_root`: MLflow knows no parent of it.
    """

    def __init__(self, span: ReadableSpan, mirror: ReadableSpan) -> None:
        super().__init__(
            name=span.name,
            context=mirror.context,
            parent=mirror.parent,
            resource=mirror.resource,
            attributes=decode_attributes(span.attributes),
            events=span.events,
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        self.is_mlflow_root = span.parent is None


class SpanMirror:
    """The fluent span of each mirror, by its ids, as long as the mirror exists.

    A span processor queues the mirror and releases it after the export. The fluent span
    is released with it. There is one instance for each process.
    """

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], ReadableSpan] = {}

    def is_mirror(self, span: ReadableSpan) -> bool:
        return ids_of(span) in self._spans

    def restore(self, span: ReadableSpan) -> ReadableSpan:
        """Return the fluent span if `span` is a mirror or a copy of one, else
        `span`.
        """
        if not self._spans:
            return span
        fluent_span = self._spans.get(ids_of(span))
        return span if fluent_span is None else FluentSpan(fluent_span, span)

    def release_with(self, mirror: ReadableSpan) -> None:
        """Keep the fluent span until `mirror`, which has ended, is released."""
        ids = ids_of(mirror)
        if ids in self._spans:
            weakref.finalize(mirror, self._spans.pop, ids, None).atexit = False

    def add(
        self, span: ReadableSpan, provider: TracerProvider, *, has_local_root: bool
    ) -> bool:
        """Mirror `span`. Returns False if the application's sampler drops it.

        `has_local_root`: a parent that MLflow calls remote is in this process.
        """
        tracer = provider.get_tracer(_SCOPE, __version__)
        if span.context is None or not isinstance(tracer, Tracer):
            return False
        if not isinstance(tracer.id_generator, _MirrorIdGenerator):
            # Public attributes of the SDK's tracer. The only other way to a span with
            # given ids is a copy of the SDK's own code.
            tracer.id_generator = _MirrorIdGenerator(tracer.id_generator)
            tracer.sampler = _ChildSampler(tracer.sampler)
        ids = ids_of(span)
        self._spans[ids] = span
        try:
            is_sampled = _mirror(
                span, tracer, tracer.id_generator, has_local_root=has_local_root
            )
        except BaseException:
            del self._spans[ids]
            raise
        if not is_sampled:
            del self._spans[ids]
        return is_sampled


span_mirror = SpanMirror()


def _mirror(
    span: ReadableSpan,
    tracer: Tracer,
    id_generator: _MirrorIdGenerator,
    *,
    has_local_root: bool,
) -> bool:
    genai_span = to_genai(span)
    id_generator.span_context = span.context
    try:
        mirror = tracer.start_span(
            genai_span.name,
            _parent_context(span, has_local_root=has_local_root),
            genai_span.kind,
            genai_span.attributes,
            span.links,
            span.start_time,
        )
    finally:
        id_generator.span_context = None
    for event in genai_span.events:
        mirror.add_event(event.name, event.attributes, event.timestamp)
    mirror.set_status(span.status)
    mirror.end(span.end_time)
    return mirror.get_span_context().trace_flags.sampled


def _parent_context(span: ReadableSpan, *, has_local_root: bool) -> Context:
    # An invalid parent makes a root span, whatever span is current.
    parent = (
        span.parent or started_spans.application_parent(span) or INVALID_SPAN_CONTEXT
    )
    is_remote = parent.is_remote and not has_local_root
    return set_span_in_context(
        NonRecordingSpan(
            SpanContext(
                parent.trace_id,
                parent.span_id,
                is_remote,
                parent.trace_flags,
                parent.trace_state,
            )
        )
    )


class _MirrorIdGenerator(IdGenerator):
    """Generates the ids of `span_context` in the thread that has set it."""

    def __init__(self, default: IdGenerator) -> None:
        self._default = default
        self._current = threading.local()

    @property
    def span_context(self) -> SpanContext | None:
        return getattr(self._current, "span_context", None)

    @span_context.setter
    def span_context(self, span_context: SpanContext | None) -> None:
        self._current.span_context = span_context

    def generate_span_id(self) -> int:
        context = self.span_context
        return context.span_id if context else self._default.generate_span_id()

    def generate_trace_id(self) -> int:
        context = self.span_context
        return context.trace_id if context else self._default.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        return self._default.is_trace_id_random()


class _ChildSampler(Sampler):
    """Samples a mirror as if it had a sampled parent.

    The spans beneath it were sampled before, with the fluent span as sampled parent. A
    sampler that decides otherwise for the root would leave a tree without its root.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        *args: Any,
        **kwargs: Any,
    ) -> SamplingResult:
        sampled = TraceFlags(TraceFlags.SAMPLED)
        parent = NonRecordingSpan(SpanContext(trace_id, 1, False, sampled))
        context = set_span_in_context(parent, parent_context)
        return self._sampler.should_sample(context, trace_id, name, *args, **kwargs)

    def get_description(self) -> str:
        return self._sampler.get_description()
