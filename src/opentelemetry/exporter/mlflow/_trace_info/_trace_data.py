"""The spans of a whole trace, as MLflow's own client stores them.

What an MLflow server makes of spans by itself, Databricks does not: token counts, model
and provider, inputs and outputs of tools. Pure.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

Json = dict[str, Any]

_REQUEST_ID = "mlflow.traceRequestId"
INPUTS = "mlflow.spanInputs"
OUTPUTS = "mlflow.spanOutputs"
USAGE = "mlflow.chat.tokenUsage"
COST = "mlflow.llm.cost"
TAG = "mlflow.traceTag."

# MLflow's name ← the first of the conventions' names that the span has.
_READ = {
    INPUTS: ("gen_ai.tool.call.arguments", "gen_ai.input.messages"),
    OUTPUTS: ("gen_ai.tool.call.result", "gen_ai.output.messages"),
    "mlflow.llm.model": ("gen_ai.response.model", "gen_ai.request.model"),
    "mlflow.llm.provider": ("gen_ai.provider.name", "gen_ai.system"),
}
_COUNTS = {
    "input_tokens": ("gen_ai.usage.input_tokens",),
    "output_tokens": ("gen_ai.usage.output_tokens",),
    "cache_read_input_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_creation_input_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
}


class Node(NamedTuple):
    """A span, and its attributes as MLflow has them: JSON documents."""

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
        """The attributes as what they stand for; OTLP has no larger numbers."""
        return {
            name: json.loads(text, parse_int=_number)
            for name, text in self.attributes.items()
        }


def nodes(spans: Iterable[ReadableSpan], request_id: str) -> list[Node]:
    """In the order in which they began, as MLflow's client has them."""
    return [
        Node(span, _documents(span.attributes or {}, request_id))
        for span in sorted(spans, key=lambda span: span.start_time or 0)
    ]


def trace_id(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}" if span.context else ""


def root(whole: Sequence[Node]) -> Node | None:
    """None if it has not ended yet, or is in another process."""
    return next((node for node in whole if node.parent_id is None), None)


def _documents(attributes: Mapping[str, Any], request_id: str) -> dict[str, str]:
    known = {
        _REQUEST_ID: request_id,
        "mlflow.spanType": "UNKNOWN",
        **{k: v for k, v in attributes.items() if not k.startswith(TAG)},
    }
    known[_REQUEST_ID] = request_id
    for name, names in _READ.items():
        if name not in known and (found := _first(known, names)) is not None:
            known[name] = found
    if USAGE not in known and (counts := _counts(known)):
        known[USAGE] = counts
    return {name: _document(value) for name, value in known.items()}


def _document(value: Any) -> str:
    """Text that is an object or a list in JSON is not put in quotes once more."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            json.loads(value)
        except (RecursionError, ValueError):
            pass
        else:
            return value
    return json.dumps(value, ensure_ascii=False, default=repr)


def _number(text: str) -> int | str:
    number = int(text)
    return number if -(2**63) <= number < 2**63 else text


def _first(attributes: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((attributes[name] for name in names if name in attributes), None)


def _counts(attributes: Mapping[str, Any]) -> dict[str, int]:
    counts = {
        name: count
        for name, names in _COUNTS.items()
        if isinstance(count := _first(attributes, names), int)
    }
    match counts:
        case {"input_tokens": given, "output_tokens": came}:
            return {**counts, "total_tokens": given + came}
        case _:
            return counts


def spans_json(whole: Iterable[Node]) -> list[Json]:
    """MLflow's third form of spans. It has no kind, scope, resource or trace state."""
    return [span_json(node) for node in whole]


def span_json(node: Node) -> Json:
    span = node.span
    return {
        "trace_id": _base64(span.context.trace_id if span.context else 0, 16),
        "span_id": _base64(node.id, 8),
        "parent_span_id": None
        if node.parent_id is None
        else _base64(node.parent_id, 8),
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
        "attributes": node.attributes,
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


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)
