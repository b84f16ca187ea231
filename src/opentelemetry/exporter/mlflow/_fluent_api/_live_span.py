"""A translated span as MLflow's LiveSpan, which a function of the program can change.

The attributes of a LiveSpan are JSON, also those that are texts. Attributes that the
function does not change keep their value and its type.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status

from opentelemetry.exporter.mlflow._mapping import (
    SPAN_INPUTS,
    SPAN_OUTPUTS,
    SPAN_TYPE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.trace import SpanContext, StatusCode

_TRACE_ID: Final = "mlflow.traceRequestId"
_UNKNOWN: Final = "UNKNOWN"
_JSON: Final = (SPAN_INPUTS, SPAN_OUTPUTS)


class MutableSpan(ReadableSpan):
    """The span of a LiveSpan: what MLflow's class reads and writes of it."""

    def __init__(
        self,
        span: ReadableSpan,
        name: str,
        attributes: Mapping[str, Any],
        events: Sequence[Event],
        status: Status,
    ) -> None:
        super().__init__(
            name=name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            events=events,
            links=span.links,
            kind=span.kind,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        self._new_name = name
        self._new_status = status
        self._new_events = list(events)
        self._original = dict(attributes)
        self._encoded = {
            key: _encode(key, value) for key, value in self._original.items()
        }
        self._values: dict[str, Any] = dict(self._encoded)

    @property
    def name(self) -> str:
        return self._new_name

    @property
    def attributes(self) -> dict[str, Any]:
        return self._values

    @property
    def events(self) -> Sequence[Event]:
        return tuple(self._new_events)

    @property
    def status(self) -> Status:
        return self._new_status

    @property
    def changed_attributes(self) -> dict[str, Any]:
        """The attributes as they are now, without those of LiveSpan."""
        values = {
            key: (
                self._original[key]
                if key in self._original and self._encoded[key] == value
                else _decode(key, value)
            )
            for key, value in self._values.items()
        }
        values[_TRACE_ID] = self._original.get(_TRACE_ID)
        if SPAN_TYPE not in self._original and values.get(SPAN_TYPE) == _UNKNOWN:
            del values[SPAN_TYPE]
        return {key: value for key, value in values.items() if value is not None}

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, key: str, value: Any) -> None:
        self._values[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self._values.update(attributes)

    def set_status(
        self, status: Status | StatusCode, description: str | None = None
    ) -> None:
        self._new_status = (
            status if isinstance(status, Status) else Status(status, description)
        )

    def add_event(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
    ) -> None:
        self._new_events.append(Event(name, attributes, timestamp))

    def add_link(
        self, context: SpanContext, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Does nothing: a processed span keeps its links, without attributes."""

    def update_name(self, name: str) -> None:
        self._new_name = name


def live_span(span: MutableSpan) -> Any:
    """Return a `mlflow.entities.LiveSpan` that reads and writes `span`."""
    module: Any = sys.modules["mlflow.entities.span"]
    trace_id = span.context.trace_id if span.context else 0
    span_type = span.attributes.get(SPAN_TYPE) or _UNKNOWN
    return _live_span_class(module.LiveSpan)(span, f"tr-{trace_id:032x}", span_type)


@lru_cache(maxsize=1)
def _live_span_class(base: Any) -> Any:
    # With base64 content MLflow writes a reference, and uploads the content itself.
    # The name is private; a version without it does not do so.
    return type(
        "LiveSpan", (base,), {"_should_extract_base64": staticmethod(lambda: False)}
    )


def _encode(name: str, value: Any) -> Any:
    if name.startswith("mlflow."):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return value


def _decode(name: str, value: Any) -> Any:
    try:
        decoded = json.loads(value)
    except (RecursionError, TypeError, ValueError):
        return value
    if decoded is None:
        return None
    if name in _JSON or not isinstance(decoded, (str, bool, int, float)):
        return value
    return decoded
