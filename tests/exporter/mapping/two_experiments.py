"""Exports the same spans to MLflow twice, with and without the mapping.

The spans in genai_spans were recorded from other libraries in runs against the
simulator: OpenTelemetry's instrumentations of LangChain and of the Agents SDK, Strands
Agents, Azure's SDK, and for embeddings OpenLLMetry's instrumentation of the openai SDK.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter

SPANS_FOLDER = Path(__file__).with_name("genai_spans")


class TwoExperiments:
    """An experiment for mapped spans, and one for unmapped spans."""

    def __init__(self, uri):
        from mlflow import MlflowClient

        self.client = MlflowClient(uri)
        self.mapped = self.client.create_experiment(f"mapped {uuid.uuid4()}")
        self.unmapped = self.client.create_experiment(f"unmapped {uuid.uuid4()}")
        self._mlflow_exporter = MlflowSpanExporter(
            tracking_uri=uri, experiment_id=self.mapped
        )
        self._otlp_exporter = OTLPSpanExporter(
            endpoint=f"{uri}/v1/traces",
            headers={"x-mlflow-experiment-id": self.unmapped},
        )

    def export(self, spans):
        self._mlflow_exporter.export(spans)
        # MLflow has only one trace for each id.
        self._otlp_exporter.export(
            [move_to_trace(span, unmapped_trace_id(span)) for span in spans]
        )
        self._mlflow_exporter.shutdown()
        self._otlp_exporter.shutdown()

    def read(self, span):
        """The span as MLflow returns it: mapped and unmapped."""
        return tuple(
            next(
                stored
                for stored in self.client.get_trace(f"tr-{trace_id:032x}").data.spans
                if stored.span_id == f"{span.context.span_id:016x}"
            )
            for trace_id in (span.context.trace_id, unmapped_trace_id(span))
        )

    def search(self, experiment, filter_string):
        return self.client.search_traces(
            locations=[experiment], filter_string=filter_string
        )


def unmapped_trace_id(span):
    return span.context.trace_id ^ 1


def move_to_trace(span, trace_id):
    def in_trace(context):
        return context and SpanContext(trace_id, context.span_id, is_remote=False)

    return ReadableSpan(
        name=span.name,
        context=in_trace(span.context),
        parent=in_trace(span.parent),
        resource=span.resource,
        attributes=span.attributes,
        events=span.events,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
    )


def load_spans(file_name):
    """The recorded spans, with new trace ids for each call."""
    trace_ids = {}
    start = 1_760_000_000_000_000_000
    spans = []
    records = json.loads((SPANS_FOLDER / file_name).read_text("utf-8"))["spans"]
    for index, record in enumerate(records):
        trace_id = trace_ids.setdefault(record["trace"], uuid.uuid4().int)
        error = record["error"]
        spans.append(
            ReadableSpan(
                name=record["name"],
                context=SpanContext(trace_id, int(record["id"], 16), is_remote=False),
                parent=record["parent"]
                and SpanContext(trace_id, int(record["parent"], 16), is_remote=False),
                resource=Resource({}),
                attributes=record["attributes"],
                events=[
                    Event(event["name"], event["attributes"], start + index)
                    for event in record.get("events", ())
                ],
                status=Status(StatusCode.ERROR, error) if error else Status(),
                start_time=start + index,
                end_time=start + 1_000 + index,
            )
        )
    return spans


def make_span(attributes, **arguments):
    context = SpanContext(uuid.uuid4().int, 7, is_remote=False)
    times = {"start_time": 1_760_000_000_000_000_000, "end_time": 1_760_000_001 * 10**9}
    return ReadableSpan(
        "a", context, resource=Resource({}), attributes=attributes, **times, **arguments
    )


def type_inputs_outputs(span):
    return span.span_type, span.inputs, span.outputs
