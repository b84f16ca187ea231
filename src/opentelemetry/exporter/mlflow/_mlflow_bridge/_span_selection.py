"""Selects the spans that go to MLflow, and the functions that process them.

A program that switches MLflow's tracing off, or lets it record a share of its traces,
says so of MLflow alone. Other exporters get all spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._fluent_api._sampling import (
    is_in_share,
    sampling_ratio,
)
from opentelemetry.exporter.mlflow._fluent_api._span_processors import (
    configured_span_processors,
)
from opentelemetry.exporter.mlflow._fluent_api._span_settings import span_settings
from opentelemetry.exporter.mlflow._fluent_api._trace_contexts import trace_contexts
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import (
    FluentSpan,
    span_mirror,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import (
    ids_of,
    started_spans,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._fluent_api._span_settings import SpanFunctions


def select_spans(spans: Sequence[ReadableSpan]) -> Sequence[ReadableSpan]:
    ratio = sampling_ratio()
    if ratio is None and span_settings.is_empty:
        return spans
    return [span for span in spans if is_selected(span, ratio)]


def is_selected(span: ReadableSpan, ratio: float | None) -> bool:
    """`ratio` is the share of all traces that goes to MLflow."""
    if span_mirror.is_mirror(span):  # MLflow itself has decided.
        return True
    if span_settings.is_excluded(span.context):
        return False
    trace_id, _ = ids_of(span)
    if ratio is None or started_spans.count(trace_id) is not None:
        return True
    context = trace_contexts.get(trace_id)
    return (context is not None and context.is_sampled) or is_in_share(trace_id, ratio)


def span_functions(span: ReadableSpan) -> SpanFunctions:
    """Return the functions that MLflow would call for the span, when it ends.

    MLflow has called them for fluent spans. If the end of the span has not been seen,
    those of now are returned.
    """
    if isinstance(span, FluentSpan):
        return ()
    functions = None if span_settings.is_empty else span_settings.functions(span)
    return configured_span_processors() if functions is None else functions
