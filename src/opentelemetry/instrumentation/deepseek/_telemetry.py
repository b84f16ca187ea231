"""The span, the metrics and the event of one invocation.

The life cycle is that of `opentelemetry-util-genai`, and so is the protocol by which
two instrumentations of one call create one span.
"""

from __future__ import annotations

import json
from base64 import b64encode
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import LogRecord
from opentelemetry.context import attach, get_current, get_value, set_value
from opentelemetry.trace import (
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from ._coerce import as_any_value, as_text
from ._genai import (
    CLIENT_INFERENCE_CONTEXT_KEY,
    EnclosingInference,
    InferenceData,
    MessageContent,
    get_ambient_conversation_id,
    merge_into_enclosing,
)
from ._metrics import metric_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.context import Context

    from ._endpoint import Endpoint
    from ._errors import ErrorDescription
    from ._signals import Signals

_SDK_PROVIDERS: Final = frozenset({"anthropic", "openai"})
# In the order of the fields of MessageContent.
_CONTENT_ATTRIBUTES: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


# Not ASCII only, so that text of every script is readable.
_encode_json: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_base64
).encode


def is_inside_recorded_call() -> bool:
    """Whether a request that is sent now belongs to a call that has a span already."""
    return isinstance(get_value(CLIENT_INFERENCE_CONTEXT_KEY), InferenceData)


class InvocationTelemetry:
    """Starts a span, which is current until `detach_context`.

    If another instrumentation has already started a span for the same call, there is no
    second one. The data of this invocation is added to that span, and its provider is
    set to `deepseek`.
    """

    __slots__ = (
        "_context",
        "_context_token",
        "_enclosing",
        "_signals",
        "_start_attributes",
        "_start_time",
        "_wants_metrics",
        "attributes",
        "content",
        "span",
        "wants_attributes",
        "wants_chunks",
        "wants_content",
        "wants_nothing",
    )

    def __init__(
        self, signals: Signals, operation: str, endpoint: Endpoint, model: str | None
    ) -> None:
        self._signals = signals
        self.content = MessageContent()
        context = get_current()
        self.attributes: dict[str, Any] = {}
        self._start_attributes: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": endpoint.provider,
            "server.address": endpoint.address,
            "server.port": endpoint.port,
        }
        if endpoint.server_type is not None:
            self._start_attributes["deepseek.server.type"] = endpoint.server_type
        if model is not None:
            self._start_attributes["gen_ai.request.model"] = model
        if conversation_id := get_ambient_conversation_id(context):
            self._start_attributes["gen_ai.conversation.id"] = conversation_id
        self._enclosing = self._find_enclosing(context)
        if self._enclosing is not None:
            self._context, self._context_token = context, None
            self.span = get_current_span(context)
        else:
            self.span = signals.tracer.start_span(
                f"{operation} {model}" if model else operation,
                context,
                SpanKind.CLIENT,
                self._start_attributes,
            )
            self._context = set_value(
                CLIENT_INFERENCE_CONTEXT_KEY,
                EnclosingInference(),
                set_span_in_context(self.span, context),
            )
            self._context_token = attach(self._context)
        capture = signals.content_capture
        is_recording = self.span.is_recording()
        self._wants_metrics = self._enclosing is None and signals.wants_metrics()
        self.wants_chunks = self._wants_metrics and signals.metrics.wants_chunks
        self.wants_attributes = is_recording or capture.wants_event
        self.wants_content = (
            (capture.wants_span_content and is_recording)
            or (capture.wants_event_content and capture.wants_event)
            or capture.completion_hook is not None
        )
        self.wants_nothing = self._enclosing is None and not (
            self.wants_attributes or self.wants_content or self._wants_metrics
        )
        self._start_time = perf_counter()

    def _find_enclosing(self, context: Context) -> InferenceData | None:
        """Returns the data of another instrumentation that records this call."""
        enclosing = get_value(CLIENT_INFERENCE_CONTEXT_KEY, context)
        return enclosing if isinstance(enclosing, InferenceData) else None

    def elapsed(self, time: float) -> float:
        """Returns the seconds from the start to `time`, a value of `perf_counter`."""
        return time - self._start_time

    def record_first_chunk(self, time: float) -> Mapping[str, Any]:
        """Records the metric of the first chunk; returns the attributes of metrics."""
        attributes = metric_attributes(self._start_attributes | self.attributes)
        self._signals.metrics.record_first_chunk(
            self.elapsed(time), attributes, self._context
        )
        return attributes

    def record_chunk_gaps(
        self, gaps: Sequence[float], attributes: Mapping[str, Any]
    ) -> None:
        """Records the seconds between chunks; `gaps` is not empty."""
        self._signals.metrics.record_chunk_gaps(gaps, attributes, self._context)

    def attach_context(self) -> None:
        """Makes the span current again."""
        if self._context_token is None and self._enclosing is None:
            self._context_token = attach(self._context)

    def detach_context(self) -> None:
        """Makes the span no longer current."""
        token, self._context_token = self._context_token, None
        if token is not None:
            # Not with OTel's detach(): it logs an error if a suspended coroutine is
            # closed in another context.
            try:  # noqa: SIM105  # `suppress` takes longer than all of this
                token.var.reset(token)
            except ValueError:
                pass

    def end(self, error: ErrorDescription | None = None) -> None:
        seconds = perf_counter() - self._start_time
        self.detach_context()
        if error is not None:
            self.attributes["error.type"] = error.type
        if self._enclosing is not None:
            self._merge_into_enclosing(self._enclosing)
            return
        try:
            self._record_signals(error, seconds)
        finally:
            self.span.end()

    def _record_signals(self, error: ErrorDescription | None, seconds: float) -> None:
        signals = self._signals
        capture = signals.content_capture
        if self.span.is_recording():
            if error is not None:
                self.span.set_status(Status(StatusCode.ERROR, error.message))
            attributes = self.attributes
            if capture.wants_span_content:
                attributes = attributes | self._encoded_content()
            self.span.set_attributes(attributes)
        attributes = self._start_attributes | self.attributes
        if self._wants_metrics:
            signals.metrics.record_invocation(seconds, attributes, self._context)
        event = None
        if capture.wants_event:
            if capture.wants_event_content:
                attributes |= as_any_value(dict(self._content_attributes()))
            event = LogRecord(
                event_name="gen_ai.client.inference.operation.details",
                attributes=attributes,
                context=self._context,
            )
        capture.call_completion_hook(self.content, self.span, event)
        if event is not None:
            signals.logger.emit(event)

    def _encoded_content(self) -> dict[str, str]:
        return {name: _to_json(value) for name, value in self._content_attributes()}

    def _content_attributes(self) -> Iterator[tuple[str, Sequence[Any]]]:
        for name, value in zip(_CONTENT_ATTRIBUTES, self.content, strict=True):
            if value:
                yield name, value

    def _merge_into_enclosing(self, enclosing: InferenceData) -> None:
        attributes = self._start_attributes | self.attributes
        merge_into_enclosing(attributes, self.content, enclosing)
        # The official instrumentations set their provider for every host.
        span_attributes: Mapping[str, Any] | None
        span_attributes = getattr(self.span, "attributes", None)
        provider = span_attributes and span_attributes.get("gen_ai.provider.name")
        if provider in _SDK_PROVIDERS and self.span.is_recording():
            provider = self._start_attributes["gen_ai.provider.name"]
            self.span.set_attribute("gen_ai.provider.name", provider)
            enclosing.metric_attributes["gen_ai.provider.name"] = provider


def _to_json(value: Sequence[Any]) -> str:
    # as_text replaces characters that have no UTF-8 form.
    return as_text(_encode_json(value)) or ""
