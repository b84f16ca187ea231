"""What MLflow's list shows of a whole trace, as its own client says it. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.trace import StatusCode

from opentelemetry.exporter.mlflow._trace_info._trace_data import (
    COST,
    INPUTS,
    OUTPUTS,
    TAG,
    USAGE,
    span_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._trace_info._trace_data import Json, Node

_LONGEST_METADATA = 250
_LONGEST_TAG_NAME = 250
_LONGEST_TAG = 4_096
# Ten times what an MLflow server shows.
_LONGEST_PREVIEW = 10_000

_NAME = "mlflow.traceName"
_METADATA = {
    "mlflow.trace.session": "session.id",
    "mlflow.trace.user": "user.id",
}


def trace_row(whole: Sequence[Node], of: Node, location: Json, schema: str) -> Json:
    """The row of a trace, whose root is `of`; but for `trace_id`, the caller's."""
    span = of.span
    began, ended = span.start_time or 0, span.end_time or 0
    requested, took = Timestamp(), Duration()
    requested.FromMilliseconds(began // 1_000_000)
    took.FromMilliseconds((ended - began) // 1_000_000)
    previews = {
        "request_preview": _preview(of.attributes.get(INPUTS), "user"),
        "response_preview": _preview(of.attributes.get(OUTPUTS), "assistant"),
    }
    is_error = span.status.status_code is StatusCode.ERROR
    return {
        "trace_location": location,
        "request_time": requested.ToJsonString(),
        "execution_duration": took.ToJsonString(),
        "state": "ERROR" if is_error else "OK",
        **{name: text for name, text in previews.items() if text is not None},
        "trace_metadata": {
            name: _cut(text, _LONGEST_METADATA)
            for name, text in _metadata(whole, of, schema).items()
        },
        "tags": {
            name[:_LONGEST_TAG_NAME]: text[:_LONGEST_TAG]
            for name, text in _tags(span).items()
        },
    }


def _metadata(whole: Sequence[Node], of: Node, schema: str) -> dict[str, str]:
    sizes = sorted(len(json.dumps(span_json(node), default=repr)) for node in whole)
    sums = {
        "mlflow.trace.tokenUsage": _sum(whole, USAGE),
        "mlflow.trace.cost": _sum(whole, COST),
    }
    found = {name: _said(whole, of, key) for name, key in _METADATA.items()}
    return {
        "mlflow.trace_schema.version": schema,
        "mlflow.traceInputs": of.attributes.get(INPUTS, ""),
        "mlflow.traceOutputs": of.attributes.get(OUTPUTS, ""),
        **{name: json.dumps(total) for name, total in sums.items() if total},
        **{name: text for name, text in found.items() if text},
        "mlflow.trace.sizeStats": json.dumps(_statistics(sizes)),
        "mlflow.trace.sizeBytes": str(_total(sizes)),
    }


def _tags(span: ReadableSpan) -> dict[str, str]:
    """As an MLflow server has them: of the resource, which is stored nowhere else."""
    own = {
        name.removeprefix(TAG): str(value)
        for name, value in (span.attributes or {}).items()
        if name.startswith(TAG)
    }
    shared = {
        name: str(value)
        for name, value in span.resource.attributes.items()
        if not name.startswith(("telemetry.sdk.", "mlflow."))
    }
    return {_NAME: span.name, **shared, **own}


def _said(whole: Sequence[Node], of: Node, name: str) -> str:
    values = [node.attributes[name] for node in (of, *whole) if name in node.attributes]
    return str(json.loads(values[0])) if values else ""


def _sum(whole: Sequence[Node], name: str) -> dict[str, Any]:
    """A span that says it hides what the spans beneath it say."""
    parents = {node.id: node.parent_id for node in whole}
    said = {
        node.id: json.loads(node.attributes[name])
        for node in whole
        if name in node.attributes
    }

    def is_hidden(span_id: int) -> bool:
        above = parents.get(span_id)
        for _ in whole:  # whatever ids somebody gave them, it ends
            if above is None or above in said:
                break
            above = parents.get(above)
        return above in said

    total: dict[str, Any] = {}
    for span_id, counts in said.items():
        if isinstance(counts, dict) and not is_hidden(span_id):
            for key, count in cast("Json", counts).items():
                if isinstance(count, (int, float)):
                    total[key] = total.get(key, 0) + count
    return total


def _preview(document: str | None, role: str) -> str | None:
    """What the user said last, or the assistant; else the document as it is."""
    if document is None:
        return None
    match json.loads(document):
        case {"messages": [_, *_] as messages}:
            pass
        case {"choices": [{"message": message}, *_]}:
            messages = [message]
        case {"input": [_, *_] as messages} | {"output": [_, *_] as messages}:
            pass
        case _:
            messages = []
    shown = [
        cast("Json", one)
        for one in messages
        if isinstance(one, dict) and "role" in one and "content" in one
    ]
    of_role = [one for one in shown if one["role"] == role]
    text = _text((of_role or shown)[-1]["content"]) if shown else ""
    return _cut(text or document, _LONGEST_PREVIEW)


def _text(content: Any) -> str:
    match content:
        case str():
            return content
        case [str(first), *_]:
            return first
        case [*parts]:
            texts = [
                cast("Json", part).get("text")
                for part in parts
                if isinstance(part, dict)
            ]
            return next((text for text in texts if isinstance(text, str)), "")
        case _:
            return ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _statistics(sizes: Sequence[int]) -> dict[str, int]:
    return {
        "total_size_bytes": _total(sizes),
        "num_spans": len(sizes),
        "max": sizes[-1],
        **{f"p{part}": int(_percentile(sizes, part / 100)) for part in (25, 50, 75)},
    }


def _total(sizes: Sequence[int]) -> int:
    """Without the row, which MLflow's client counts in before it is complete."""
    return sum(sizes) + 2 * (len(sizes) - 1)


def _percentile(sizes: Sequence[int], part: float) -> float:
    place = part * (len(sizes) - 1)
    lower = int(place)
    upper = min(lower + 1, len(sizes) - 1)
    return sizes[lower] + (sizes[upper] - sizes[lower]) * (place - lower)
