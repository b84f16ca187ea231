"""Passes a translated span to the redaction function, as parsed JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Status

from opentelemetry.exporter.mlflow._content._redaction import SpanContent
from opentelemetry.exporter.mlflow._mapping import SPAN_INPUTS, SPAN_OUTPUTS
from opentelemetry.exporter.mlflow._mapping._json import decode, make_encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.exporter.mlflow._content._redaction import (
        Redaction,
        Withholding,
    )

_TOOLS = "mlflow.chat.tools"
_encode = make_encoder(allow_nan=True)


class RedactedSpan(NamedTuple):
    """The values of a span that the redaction function has returned."""

    name: str
    attributes: dict[str, Any]
    events: list[Event]
    status: Status


def redact_span(
    redaction: Redaction,
    name: str,
    attributes: dict[str, Any],
    events: Sequence[Event],
    status: Status,
) -> RedactedSpan:
    """Call the redaction function with the values of a span. Never raises."""
    attributes = dict(attributes)
    inputs = _decode(attributes.pop(SPAN_INPUTS, None))
    outputs = _decode(attributes.pop(SPAN_OUTPUTS, None))
    if _TOOLS in attributes:
        attributes[_TOOLS] = _decode(attributes[_TOOLS])
    event_contents = [
        {
            "name": event.name,
            "attributes": dict(event.attributes or {}),
            "timestamp": event.timestamp,
        }
        for event in events
    ]
    content = SpanContent(
        name, inputs, outputs, attributes, event_contents, status.description
    )
    try:
        return _to_span(redaction(content), status)
    except Exception:  # noqa: BLE001  # the values are the user's
        return _to_span(redaction.withhold(content, "returned invalid values"), status)


def withheld_span(
    withholding: Withholding, attributes: dict[str, Any], status: Status, failure: str
) -> RedactedSpan:
    """Return the span without its content, because of the failure of a function."""
    content = SpanContent("", None, None, attributes, [], None)
    return _to_span(withholding(content, failure), status)


def _to_span(content: SpanContent, status: Status) -> RedactedSpan:
    attributes = _attribute_values(content.attributes)
    for name, value in ((SPAN_INPUTS, content.inputs), (SPAN_OUTPUTS, content.outputs)):
        if value is not None:
            attributes[name] = _encode(value)
    events = [
        Event(
            str(event["name"]),
            _attribute_values(event["attributes"]),
            event["timestamp"],
        )
        for event in content.events
    ]
    description = content.status_description
    if description is not None:
        status = Status(status.status_code, str(description))
    elif status.description:
        status = Status(status.status_code)
    return RedactedSpan(str(content.name), attributes, events, status)


def _decode(value: Any) -> Any:
    """Return the value of JSON text; any other value is returned unchanged."""
    try:
        return decode(value)
    except (TypeError, ValueError):
        return value


def _attribute_values(attributes: dict[str, Any]) -> dict[str, Any]:
    """Encode values that an attribute cannot hold as JSON; None has no attribute."""
    return {
        str(name): value if _is_attribute_value(value) else _encode(value)
        for name, value in attributes.items()
        if value is not None
    }


def _is_attribute_value(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[Any]", value)
        return not any(isinstance(item, (dict, list, tuple)) for item in items)
    return not isinstance(value, dict)
