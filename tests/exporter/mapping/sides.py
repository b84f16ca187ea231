"""The same spans in MLflow twice: mapped, and plain.

The spans in genai_spans are what others wrote in a run against the simulator:
OpenTelemetry's instrumentations of LangChain and of the Agents SDK, Strands Agents,
Azure's SDK, and, for embeddings, OpenLLMetry's of the openai SDK.
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

SPANS = Path(__file__).with_name("genai_spans")


class Sides:
    """MLflow with an experiment for the mapped spans and one for the plain."""

    def __init__(self, uri):
        from mlflow import MlflowClient

        self.client = MlflowClient(uri)
        self.mapped = self.client.create_experiment(f"mapped {uuid.uuid4()}")
        self.plain = self.client.create_experiment(f"plain {uuid.uuid4()}")
        self._exporter = MlflowSpanExporter(tracking_uri=uri, experiment_id=self.mapped)
        self._stock = OTLPSpanExporter(
            endpoint=f"{uri}/v1/traces",
            headers={"x-mlflow-experiment-id": self.plain},
        )

    def export(self, spans):
        self._exporter.export(spans)
        # Of one id MLflow has one trace.
        self._stock.export(
            [replace_span(span, self.trace_of(span) ^ 1) for span in spans]
        )
        self._exporter.shutdown()
        self._stock.shutdown()

    @staticmethod
    def trace_of(span):
        return span.context.trace_id

    def both(self, span):
        """The span as MLflow has it: mapped, and plain."""
        return tuple(
            next(
                one
                for one in self.client.get_trace(f"tr-{trace:032x}").data.spans
                if one.span_id == f"{span.context.span_id:016x}"
            )
            for trace in (self.trace_of(span), self.trace_of(span) ^ 1)
        )

    def found(self, experiment, condition):
        return self.client.search_traces(
            locations=[experiment], filter_string=condition
        )


def replace_span(span, trace):
    def in_trace(context):
        return context and SpanContext(trace, context.span_id, is_remote=False)

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


def recorded(name):
    """In traces of their own, however often they are sent."""
    traces = {}
    start = 1_760_000_000_000_000_000
    spans = []
    for at, one in enumerate(json.loads((SPANS / name).read_text("utf-8"))["spans"]):
        trace = traces.setdefault(one["trace"], uuid.uuid4().int)
        error = one["error"]
        spans.append(
            ReadableSpan(
                name=one["name"],
                context=SpanContext(trace, int(one["id"], 16), is_remote=False),
                parent=one["parent"]
                and SpanContext(trace, int(one["parent"], 16), is_remote=False),
                resource=Resource({}),
                attributes=one["attributes"],
                events=[
                    Event(event["name"], event["attributes"], start + at)
                    for event in one.get("events", ())
                ],
                status=Status(StatusCode.ERROR, error) if error else Status(),
                start_time=start + at,
                end_time=start + 1_000 + at,
            )
        )
    return spans


def made(attributes, **more):
    context = SpanContext(uuid.uuid4().int, 7, is_remote=False)
    given = {"start_time": 1_760_000_000_000_000_000, "end_time": 1_760_000_001 * 10**9}
    return ReadableSpan(
        "a", context, resource=Resource({}), attributes=attributes, **given, **more
    )


def looks(span):
    return span.span_type, span.inputs, span.outputs
