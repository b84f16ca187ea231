"""Spans of MLflow's, made a second time where the application's spans are made.

So they go through its processors, with its resource, to all its exporters. The ids are
the same: with them the spans beneath find their parent.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Tracer
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import around
from opentelemetry.exporter.mlflow._mlflow_bridge._to_genai import decoded, genai_form
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow.version import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.sampling import SamplingResult
    from opentelemetry.trace import TracerProvider
    from typing_extensions import Self

# Nobody else asks for a tracer of this name; where somebody does, it is as it was.
_SCOPE = "opentelemetry.exporter.mlflow"


class SpanId(int):
    """A span id that has the span of MLflow's by it, for our exporter to find.

    Other exporters see a number. So what waits in a processor's queue has its content
    with it, is let go with it, and no third place has to know of both.
    """

    of_mlflow: ReadableSpan

    @classmethod
    def of(cls, span: ReadableSpan, span_id: int) -> Self:
        made = cls(span_id)
        made.of_mlflow = span
        return made


def of_mlflow(span: ReadableSpan) -> ReadableSpan | None:
    """The span of MLflow's that `span` stands for."""
    span_id = span.context.span_id if span.context else None
    return span_id.of_mlflow if isinstance(span_id, SpanId) else None


def is_root_of_mlflow(span: ReadableSpan) -> bool:
    made = of_mlflow(span)
    return made is not None and made.parent is None


def as_mlflow_made_it(span: ReadableSpan) -> ReadableSpan:
    """With the name, type and content that MLflow gave it, if MLflow made it."""
    if (made := of_mlflow(span)) is None:
        return span
    return replace_span(
        made,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=decoded(made.attributes),
    )


def make_again(
    span: ReadableSpan, provider: TracerProvider, *, has_root_here: bool
) -> bool:
    """Whether the application's sampler lets it.

    `has_root_here`: a parent that MLflow calls remote is in this process.
    """
    tracer = provider.get_tracer(_SCOPE, __version__)
    context = span.context
    if context is None or not isinstance(tracer, Tracer):
        return False
    if not isinstance(tracer.id_generator, _SameIds):
        # Attributes of the SDK without an underscore, and the one way to a span with
        # given ids that is not a copy of the SDK's own code.
        tracer.id_generator = _SameIds(tracer.id_generator)
        tracer.sampler = _AsForAChild(tracer.sampler)
    form = genai_form(span)
    tracer.id_generator.span = span
    try:
        again = tracer.start_span(
            form.name,
            _parent(span, has_root_here=has_root_here),
            form.kind,
            form.attributes,
            span.links,
            span.start_time,
        )
    finally:
        tracer.id_generator.span = None
    for event in form.events:
        again.add_event(event.name, event.attributes, event.timestamp)
    again.set_status(span.status)
    again.end(span.end_time)
    return again.get_span_context().trace_flags.sampled


def _parent(span: ReadableSpan, *, has_root_here: bool) -> Context:
    """An invalid one makes a root, whatever is current."""
    parent = span.parent or around(span) or INVALID_SPAN_CONTEXT
    is_remote = parent.is_remote and not has_root_here
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


class _SameIds(IdGenerator):
    def __init__(self, otherwise: IdGenerator) -> None:
        self._otherwise = otherwise
        self._current = threading.local()

    @property
    def span(self) -> ReadableSpan | None:
        return getattr(self._current, "span", None)

    @span.setter
    def span(self, span: ReadableSpan | None) -> None:
        self._current.span = span

    def generate_span_id(self) -> int:
        if self.span is None or self.span.context is None:
            return self._otherwise.generate_span_id()
        return SpanId.of(self.span, self.span.context.span_id)

    def generate_trace_id(self) -> int:
        if self.span is None or self.span.context is None:
            return self._otherwise.generate_trace_id()
        return int(self.span.context.trace_id)

    def is_trace_id_random(self) -> bool:
        return self._otherwise.is_trace_id_random()


class _AsForAChild(Sampler):
    """Decides as for a span beneath: those were made before, under a sampled parent.

    Else a tree would lose its root and keep its leaves.
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
