"""TraceData: the spans of a trace, as MLflow's client stores them. Pure.

A new MLflow server computes token counts, model, provider, inputs and outputs of tools
by itself. An old one and Databricks store the spans as they are, so they must contain
these values.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._mapping import (
    SPAN_INPUTS,
    SPAN_OUTPUTS,
    SPAN_TYPE,
)
from opentelemetry.exporter.mlflow._trace_info._trace_settings import (
    without_trace_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

Json = dict[str, Any]

USAGE = "mlflow.chat.tokenUsage"
TRACE_TAG_PREFIX = "mlflow.traceTag."
_REQUEST_ID = "mlflow.traceRequestId"

# MLflow's name, and the attributes of the conventions of which the first one counts.
_SOURCES = {
    SPAN_INPUTS: ("gen_ai.tool.call.arguments", "gen_ai.input.messages"),
    SPAN_OUTPUTS: ("gen_ai.tool.call.result", "gen_ai.output.messages"),
    "mlflow.llm.model": ("gen_ai.response.model", "gen_ai.request.model"),
    "mlflow.llm.provider": ("gen_ai.provider.name", "gen_ai.system"),
}
_TOKEN_COUNTS = {
    "input_tokens": ("gen_ai.usage.input_tokens",),
    "output_tokens": ("gen_ai.usage.output_tokens",),
    "cache_read_input_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_creation_input_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
}


class TraceSpan(NamedTuple):
    """A span, and its attributes as MLflow stores them: each one a JSON document."""

    span: ReadableSpan
    attributes: dict[str, str]

    @property
    def id(self) -> int:
        return self.span.context.span_id if self.span.context else 0

    @property
    def parent_id(self) -> int | None:
        return self.span.parent.span_id if self.span.parent else None

    @property
    def values(self) -> dict[str, Any]:
        """The decoded attributes. A number that OTLP cannot carry is text."""
        return {
            name: json.loads(text, parse_int=_int_or_text)
            for name, text in self.attributes.items()
        }


def trace_spans(spans: Iterable[ReadableSpan], request_id: str) -> list[TraceSpan]:
    """In the order of their start, as MLflow's client stores them."""
    return [
        TraceSpan(span, _json_attributes(span.attributes or {}, request_id))
        for span in sorted(spans, key=lambda span: span.start_time or 0)
    ]


def hex_trace_id(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}" if span.context else ""


def by_trace(spans: Iterable[ReadableSpan]) -> dict[str, list[ReadableSpan]]:
    """The spans of each trace, by its id of 32 hexadecimal digits."""
    traces: dict[str, list[ReadableSpan]] = {}
    for span in spans:
        traces.setdefault(hex_trace_id(span), []).append(span)
    return traces


def find_root(spans: Sequence[TraceSpan]) -> TraceSpan | None:
    """None if the root has not ended yet, or is in another process."""
    return next((span for span in spans if span.parent_id is None), None)


def _json_attributes(attributes: Mapping[str, Any], request_id: str) -> dict[str, str]:
    values = {
        _REQUEST_ID: request_id,
        SPAN_TYPE: "UNKNOWN",
        **{
            name: value
            for name, value in without_trace_settings(attributes).items()
            if not name.startswith(TRACE_TAG_PREFIX)
        },
    }
    values[_REQUEST_ID] = request_id
    for name, sources in _SOURCES.items():
        if name not in values and (value := _first(values, sources)) is not None:
            values[name] = value
    if USAGE not in values and (counts := _token_counts(values)):
        values[USAGE] = counts
    return {name: _to_json(value) for name, value in values.items()}


def _to_json(value: Any) -> str:
    """Text that is a JSON object or list already is not encoded a second time."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            json.loads(value)
        except (RecursionError, ValueError):
            pass
        else:
            return value
    return dump_json(value)


def _int_or_text(text: str) -> int | str:
    number = int(text)
    return number if -(2**63) <= number < 2**63 else text


def _first(attributes: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((attributes[name] for name in names if name in attributes), None)


def _token_counts(attributes: Mapping[str, Any]) -> dict[str, int]:
    counts = {
        name: count
        for name, sources in _TOKEN_COUNTS.items()
        if isinstance(count := _first(attributes, sources), int)
    }
    match counts:
        case {"input_tokens": input_tokens, "output_tokens": output_tokens}:
            return {**counts, "total_tokens": input_tokens + output_tokens}
        case _:
            return counts


def span_to_json(trace_span: TraceSpan, root_parent_id: str | None = None) -> Json:
    """MLflow's third span format; it has no kind, scope, resource or trace state.

    `root_parent_id`: the `parent_span_id` of a root, as the store's pages can read it.
    """
    span, parent_id = trace_span.span, trace_span.parent_id
    return {
        "trace_id": _base64(span.context.trace_id if span.context else 0, 16),
        "span_id": _base64(trace_span.id, 8),
        "parent_span_id": (
            root_parent_id if parent_id is None else _base64(parent_id, 8)
        ),
        "name": span.name,
        "start_time_unix_nano": span.start_time,
        "end_time_unix_nano": span.end_time,
        "events": [
            {
                "name": event.name,
                "time_unix_nano": event.timestamp,
                "attributes": dict(event.attributes or {}),
            }
            for event in span.events
        ],
        "status": {
            "code": f"STATUS_CODE_{span.status.status_code.name}",
            "message": span.status.description or "",
        },
        "attributes": trace_span.attributes,
        "links": [
            {
                "trace_id": f"tr-{link.context.trace_id:032x}",
                "span_id": f"{link.context.span_id:016x}",
                "attributes": dict(link.attributes or {}),
            }
            for link in span.links
        ],
    }


def _base64(number: int, size: int) -> str:
    return b64encode(number.to_bytes(size, "big")).decode()


def dump_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)
