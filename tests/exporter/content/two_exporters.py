"""A tracer provider with an MLflow exporter and another one, and a model call."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import (
    FunctionToolDefinition,
    InputMessage,
    OutputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
)

from opentelemetry.exporter.mlflow import MlflowSpanExporter

HOOK_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
SECRET = "Zwiebelkuchen"


@dataclass
class TwoExporters:
    """A tracer provider with an MLflow exporter and an in-memory exporter."""

    provider: TracerProvider
    mlflow: MlflowSpanExporter
    other: InMemorySpanExporter

    @property
    def bytes_of_other(self):
        """The bytes that the other exporter would send as OTLP."""
        return encode_spans(self.other.get_finished_spans()).SerializeToString()


def make_exporters(uri, **arguments):
    other = InMemorySpanExporter()
    mlflow = MlflowSpanExporter(tracking_uri=uri, **arguments)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(other))
    provider.add_span_processor(SimpleSpanProcessor(mlflow))
    return TwoExporters(provider, mlflow, other)


def call_model(exporters, question=SECRET, model="m"):
    """Makes the span of an instrumentation that uses opentelemetry-util-genai."""
    handler = TelemetryHandler(
        tracer_provider=exporters.provider, completion_hook=load_completion_hook()
    )
    with handler.inference("example", request_model=model) as call:
        call.system_instruction = [TextPart(f"{question} system")]
        call.input_messages = [InputMessage("user", [TextPart(question)])]
        call.output_messages = [
            OutputMessage(
                "assistant",
                [
                    ReasoningPart(f"{question} thought"),
                    TextPart(f"{question} answer"),
                    ToolCallRequestPart({"q": f"{question} argument"}, "look", "c1"),
                ],
                "tool_calls",
            )
        ]
        call.tool_definitions = [
            FunctionToolDefinition("look", f"{question} tool", {"type": "object"})
        ]
    return call.span


def sent_bytes(fake_server):
    return b"".join(map(decompressed_body, fake_server.requests))


def decompressed_body(request):
    is_compressed = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if is_compressed else request.body


def sent_span_names(fake_server):
    return [name for request in fake_server.requests for name in request.span_names]
