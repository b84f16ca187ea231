"""The span of a request of an HTTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind, get_current_span

from ._coerce import EMPTY
from ._genai import EnclosingInference
from ._telemetry import InvocationTelemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from ._genai import InferenceData

_OPERATIONS: Final = frozenset({"chat", "generate_content", "text_completion"})
_ERROR_ATTRIBUTES: Final = (
    "error.type",
    "gen_ai.response.finish_reasons",
    "http.response.status_code",
)


class HttpTelemetry(InvocationTelemetry):
    """Adds to the span of a client library that records its calls itself.

    Such a library makes the span of the call the current one, and does not follow the
    protocol of `opentelemetry-util-genai`. Its span gets the attributes that it lacks
    until it ends.
    """

    __slots__ = ()

    def _find_enclosing(self, context: Context) -> InferenceData | None:
        enclosing = super()._find_enclosing(context)
        if enclosing is None and _is_inference(get_current_span(context)):
            return EnclosingInference()
        return enclosing

    def _merge_into_enclosing(self, enclosing: InferenceData) -> None:
        super()._merge_into_enclosing(enclosing)
        if not (isinstance(enclosing, EnclosingInference) and self.span.is_recording()):
            return
        capture = self._signals.content_capture
        attributes = self._start_attributes | self.attributes
        if "error.type" in attributes:
            # The library may send the request again, and reports an error itself.
            for name in _ERROR_ATTRIBUTES:
                attributes.pop(name, None)
        if capture.wants_span_content:
            attributes |= self._encoded_content()
        present = _attributes_of(self.span)
        self.span.set_attributes(
            {name: value for name, value in attributes.items() if name not in present}
        )
        capture.call_completion_hook(self.content, self.span, None)


def _is_inference(span: Any) -> bool:
    return (
        span.is_recording()
        and getattr(span, "kind", None) is SpanKind.CLIENT
        and _attributes_of(span).get("gen_ai.operation.name") in _OPERATIONS
    )


def _attributes_of(span: Any) -> Mapping[str, Any]:
    # Spans of the SDK have this property, others may not.
    return getattr(span, "attributes", None) or EMPTY
