"""A conversation that MLflow gets, and what a colleague's backend sees of it."""

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

HOOK = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
SECRET = "Zwiebelkuchen"


@dataclass
class Both:
    """A provider with an exporter to MLflow, and a colleague's beside it."""

    provider: TracerProvider
    mlflow: MlflowSpanExporter
    others: InMemorySpanExporter

    @property
    def seen_by_others(self):
        """The bytes that would go to their backends."""
        return encode_spans(self.others.get_finished_spans()).SerializeToString()


def both_to(uri, **more):
    others = InMemorySpanExporter()
    mlflow = MlflowSpanExporter(tracking_uri=uri, **more)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(others))
    provider.add_span_processor(SimpleSpanProcessor(mlflow))
    return Both(provider, mlflow, others)


def talk(both, question=SECRET, model="m"):
    """One model call of an instrumentation that uses util-genai."""
    handler = TelemetryHandler(
        tracer_provider=both.provider, completion_hook=load_completion_hook()
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


def sent(wire):
    return b"".join(map(unpacked, wire.requests))


def unpacked(request):
    is_compressed = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if is_compressed else request.body


def spans_sent(wire):
    return [name for request in wire.requests for name in request.span_names]
