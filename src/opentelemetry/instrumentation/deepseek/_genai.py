"""The one door to `opentelemetry-util-genai`.

The library is young and renames things between releases (eight in fourteen months);
whatever we use of it comes through here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.environment_variables import (
    OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK,
)
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.invocation import InferenceInvocation
from opentelemetry.util.genai.types import (
    ContentCapturingMode,
    Error,
    FilePart,
    FunctionToolDefinition,
    GenericToolDefinition,
    InputMessage,
    MessagePart,
    Modality,
    OutputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
    ToolDefinition,
)
from opentelemetry.util.genai.utils import (
    fq_exception_type,
    gen_ai_json_dumps,
    get_content_capturing_mode,
    image_from_url,
    object_to_any_value,
    tool_arguments_to_any_value,
)

from .version import __version__

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ._client import Server

__all__ = [
    "Error",
    "FilePart",
    "FunctionToolDefinition",
    "GenericToolDefinition",
    "InferenceInvocation",
    "Inferences",
    "InputMessage",
    "MessagePart",
    "Modality",
    "OutputMessage",
    "ReasoningPart",
    "TextPart",
    "ToolCallRequestPart",
    "ToolCallResponsePart",
    "ToolDefinition",
    "fq_exception_type",
    "gen_ai_json_dumps",
    "image_from_url",
    "object_to_any_value",
    "tool_arguments_to_any_value",
]

_SCOPE: Final = "opentelemetry.instrumentation.deepseek"


class Inferences:
    """Starts the span of a call, and knows whether its content is wanted."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        self._handler = TelemetryHandler(
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            logger_provider=logger_provider,
            completion_hook=load_completion_hook(),
            instrumentation_scope_name=_SCOPE,
            instrumentation_scope_version=__version__,
        )
        # The library asks for content also where the span that would carry it is
        # not recorded; events and completion hooks want it even then.
        self._content_beyond_spans = (
            get_content_capturing_mode()
            in (ContentCapturingMode.EVENT_ONLY, ContentCapturingMode.SPAN_AND_EVENT)
            or os.environ.get(OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK, "") != ""
        )

    def start(
        self, server: Server, request_model: str | None, operation_name: str
    ) -> InferenceInvocation:
        return self._handler.inference(
            "deepseek",
            request_model=request_model,
            server_address=server.address,
            server_port=server.port,
            operation_name=operation_name,
        )

    def wants_content_of(self, invocation: InferenceInvocation) -> bool:
        return self._handler.should_capture_content() and (
            self._content_beyond_spans or invocation.span.is_recording()
        )
