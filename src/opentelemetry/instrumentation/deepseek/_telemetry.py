"""One inference, as telemetry: its span, its metrics, its event.

The life cycle and the protocol by which two instrumentations of one call make one span
are those of `opentelemetry-util-genai`.
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

from ._coerce import fit, text
from ._genai import (
    CLIENT_INFERENCE_CONTEXT_KEY,
    Content,
    Enclosing,
    InferenceData,
    get_ambient_conversation_id,
    publish,
)
from ._metrics import labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._endpoint import Server
    from ._errors import Failure
    from ._signals import Signals

_PROVIDER: Final = "deepseek"
_CONTENT: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


# Readable in every script.
_json: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_base64
).encode


class Inference:
    """One call. Its span starts now, and is current until `suspend`.

    Inside a call that another instrumentation has begun, there is no span of ours: what
    we know goes to that one, which is told to call itself DeepSeek's.
    """

    __slots__ = (
        "_began",
        "_context",
        "_known",
        "_measuring",
        "_outer",
        "_signals",
        "_token",
        "attributes",
        "content",
        "span",
        "wants_attributes",
        "wants_chunks",
        "wants_content",
        "wants_nothing",
    )

    def __init__(
        self, signals: Signals, operation: str, server: Server, model: str | None
    ) -> None:
        self._signals = signals
        self.content = Content()
        context = get_current()
        self.attributes: dict[str, Any] = {}
        self._known: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": _PROVIDER,
            "server.address": server.address,
            "server.port": server.port,
        }
        if model is not None:
            self._known["gen_ai.request.model"] = model
        if conversation := get_ambient_conversation_id(context):
            self._known["gen_ai.conversation.id"] = conversation
        outer = get_value(CLIENT_INFERENCE_CONTEXT_KEY, context)
        self._outer = outer if isinstance(outer, InferenceData) else None
        if self._outer is not None:
            self._context, self._token = context, None
            self.span = get_current_span(context)
        else:
            self.span = signals.tracer.start_span(
                f"{operation} {model}" if model else operation,
                context,
                SpanKind.CLIENT,
                self._known,
            )
            self._context = set_value(
                CLIENT_INFERENCE_CONTEXT_KEY,
                Enclosing(),
                set_span_in_context(self.span, context),
            )
            self._token = attach(self._context)
        switch = signals.switch
        recording = self.span.is_recording()
        self._measuring = self._outer is None and signals.measures()
        self.wants_chunks = self._measuring and signals.metrics.wants_chunks
        self.wants_attributes = recording or switch.events
        self.wants_content = (
            (switch.on_spans and recording)
            or (switch.on_events and switch.events)
            or switch.hook is not None
        )
        self.wants_nothing = self._outer is None and not (
            self.wants_attributes or self.wants_content or self._measuring
        )
        self._began = perf_counter()

    def elapsed(self, now: float) -> float:
        """Seconds from the start to `now`, a `perf_counter`."""
        return now - self._began

    def first_chunk(self, now: float) -> Mapping[str, Any]:
        """Measure the first chunk of a stream; the labels for those to come."""
        said = labels(self._known | self.attributes)
        self._signals.metrics.first_chunk(self.elapsed(now), said, self._context)
        return said

    def next_chunks(self, gaps: Sequence[float], said: Mapping[str, Any]) -> None:
        """Measure the seconds between one chunk and the next; at least one gap."""
        self._signals.metrics.next_chunks(gaps, said, self._context)

    def suspend(self) -> None:
        """Give the caller their context back."""
        token, self._token = self._token, None
        if token is not None:
            # Not by OTel's detach(), which logs an error where a coroutine that was
            # thrown away half-way ends in somebody else's context.
            try:  # noqa: SIM105  # `suppress` takes longer than all of this
                token.var.reset(token)
            except ValueError:
                pass

    def end(self, failure: Failure | None = None) -> None:
        seconds = perf_counter() - self._began
        self.suspend()
        if failure is not None:
            self.attributes["error.type"] = failure.type
        if self._outer is not None:
            self._tell(self._outer)
            return
        try:
            self._record(failure, seconds)
        finally:
            self.span.end()

    def _record(self, failure: Failure | None, seconds: float) -> None:
        signals = self._signals
        switch = signals.switch
        if self.span.is_recording():
            if failure is not None:
                self.span.set_status(Status(StatusCode.ERROR, failure.words))
            attributes = self.attributes
            if switch.on_spans:
                attributes = attributes | {
                    name: _dumped(said) for name, said in self._content()
                }
            self.span.set_attributes(attributes)
        attributes = self._known | self.attributes
        if self._measuring:
            signals.metrics.call(seconds, attributes, self._context)
        event = None
        if switch.events:
            if switch.on_events:
                attributes |= fit(dict(self._content()))
            event = LogRecord(
                event_name="gen_ai.client.inference.operation.details",
                attributes=attributes,
                context=self._context,
            )
        switch.complete(self.content, self.span, event)
        if event is not None:
            signals.logger.emit(event)

    def _content(self) -> Iterator[tuple[str, Sequence[Any]]]:
        for name, said in zip(_CONTENT, self.content, strict=True):
            if said:
                yield name, said

    def _tell(self, outer: InferenceData) -> None:
        publish(self._known | self.attributes, self.content, outer)
        # The official OpenAI instrumentation calls every host OpenAI's.
        said: Mapping[str, Any] | None = getattr(self.span, "attributes", None)
        if said and said.get("gen_ai.provider.name") == "openai":
            self.span.set_attribute("gen_ai.provider.name", _PROVIDER)
            outer.metric_attributes["gen_ai.provider.name"] = _PROVIDER


def _dumped(said: Sequence[Any]) -> str:
    # What is no UTF-8 is replaced.
    return text(_json(said)) or ""
