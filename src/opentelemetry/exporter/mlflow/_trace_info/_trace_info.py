"""TraceInfo of a complete trace, computed as MLflow's client computes it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.trace import StatusCode

from opentelemetry.exporter.mlflow._mapping import (
    SESSION,
    SPAN_INPUTS,
    SPAN_OUTPUTS,
    USER,
)
from opentelemetry.exporter.mlflow._pricing._call_cost import COST
from opentelemetry.exporter.mlflow._trace_info._previews import (
    MAX_PREVIEW_LENGTH,
    cut,
    preview,
)
from opentelemetry.exporter.mlflow._trace_info._totals import total
from opentelemetry.exporter.mlflow._trace_info._trace_data import (
    TRACE_TAG_PREFIX,
    USAGE,
    span_to_json,
)
from opentelemetry.exporter.mlflow._trace_info._trace_settings import (
    CLIENT_TRACE_INFO,
    trace_metadata,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._trace_info._trace_data import Json, TraceSpan

_MAX_METADATA_LENGTH = 250
_MAX_TAG_NAME_LENGTH = 250
_MAX_TAG_LENGTH = 4_096

_NAME_TAG = "mlflow.traceName"


def experiment_location(experiment_id: str) -> Json:
    """The location of a trace, as TraceInfo has it."""
    return {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": experiment_id},
    }


@dataclass(frozen=True)
class TraceInfo:
    """The summary of a trace, as `mlflow.entities.TraceInfo` has it.

    Times are in nanoseconds since the epoch. `inputs` and `outputs` are the JSON
    documents of the root span; "" means that a value does not exist. `token_usage` and
    `cost` are totals. `tags` include the name of the trace. `span_sizes` are the sizes
    of the spans as JSON, in characters, in ascending order. `metadata` is what the
    program told MLflow. `client_info` is the TraceInfo of MLflow's client.
    """

    start_time: int
    end_time: int
    is_error: bool
    inputs: str | None
    outputs: str | None
    session: str
    user: str
    token_usage: Json
    cost: Json
    tags: dict[str, str]
    span_sizes: list[int]
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    client_info: Json = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, spans: Sequence[TraceSpan], root: TraceSpan) -> TraceInfo:
        """Of all spans of a trace; `root` is one of them."""
        return cls(
            start_time=root.span.start_time or 0,
            end_time=root.span.end_time or 0,
            is_error=root.span.status.status_code is StatusCode.ERROR,
            inputs=root.attributes.get(SPAN_INPUTS),
            outputs=root.attributes.get(SPAN_OUTPUTS),
            session=_first_value([root, *spans], SESSION),
            user=_first_value([root, *spans], USER),
            token_usage=_total(spans, USAGE),
            cost=_total(spans, COST),
            tags=_tags(root.span),
            span_sizes=sorted(
                len(json.dumps(span_to_json(span), default=repr)) for span in spans
            ),
            metadata=trace_metadata(root.span.attributes or {}),
            client_info=_client_info(root.span.attributes or {}),
        )

    def to_json(
        self,
        location: Json,
        schema_version: str,
        max_preview_length: int = MAX_PREVIEW_LENGTH,
    ) -> Json:
        """The JSON of MLflow's REST API, without the trace id."""
        request_time, duration = Timestamp(), Duration()
        request_time.FromMilliseconds(self.start_time // 1_000_000)
        duration.FromMilliseconds((self.end_time - self.start_time) // 1_000_000)
        previews = {
            "request_preview": preview(self.inputs, "user", max_preview_length),
            "response_preview": preview(self.outputs, "assistant", max_preview_length),
        }
        client = self.client_info
        return {
            "trace_location": location,
            "request_time": request_time.ToJsonString(),
            "execution_duration": duration.ToJsonString(),
            "state": "ERROR" if self.is_error else client.get("state") or "OK",
            **{name: text for name, text in previews.items() if text is not None},
            **{
                name: client[name]
                for name in ("request_preview", "response_preview", "client_request_id")
                if client.get(name)
            },
            "trace_metadata": {
                name: cut(text, _MAX_METADATA_LENGTH)
                for name, text in self._metadata(schema_version).items()
            },
            "tags": {
                name[:_MAX_TAG_NAME_LENGTH]: text[:_MAX_TAG_LENGTH]
                for name, text in (self.tags | client.get("tags", {})).items()
            },
        }

    def _metadata(self, schema_version: str) -> dict[str, str]:
        optional = {
            "mlflow.trace.tokenUsage": self.token_usage
            and json.dumps(self.token_usage),
            "mlflow.trace.cost": self.cost and json.dumps(self.cost),
            "mlflow.trace.session": self.session,
            "mlflow.trace.user": self.user,
        }
        return {
            "mlflow.trace_schema.version": schema_version,
            "mlflow.traceInputs": self.inputs or "",
            "mlflow.traceOutputs": self.outputs or "",
            **{name: str(value) for name, value in optional.items() if value},
            **self.client_info.get("metadata", {}),
            **self.metadata,
            "mlflow.trace.sizeStats": json.dumps(_size_statistics(self.span_sizes)),
            "mlflow.trace.sizeBytes": str(_total_size(self.span_sizes)),
        }


def _client_info(attributes: Mapping[str, Any]) -> Json:
    text = attributes.get(CLIENT_TRACE_INFO)
    return cast("Json", json.loads(text)) if text else {}


def _tags(span: ReadableSpan) -> dict[str, str]:
    """The tags that an MLflow server makes.

    They include the attributes of the resource, which are stored nowhere else.
    """
    trace_tags = {
        name.removeprefix(TRACE_TAG_PREFIX): str(value)
        for name, value in (span.attributes or {}).items()
        if name.startswith(TRACE_TAG_PREFIX)
    }
    resource_tags = {
        name: str(value)
        for name, value in span.resource.attributes.items()
        if not name.startswith(("telemetry.sdk.", "mlflow."))
    }
    return {_NAME_TAG: span.name, **resource_tags, **trace_tags}


def _first_value(spans: Sequence[TraceSpan], name: str) -> str:
    values = [span.attributes[name] for span in spans if name in span.attributes]
    return str(json.loads(values[0])) if values else ""


def _total(spans: Sequence[TraceSpan], name: str) -> Json:
    return total((span.id, span.parent_id, span.attributes.get(name)) for span in spans)


def _size_statistics(sizes: Sequence[int]) -> dict[str, int]:
    return {
        "total_size_bytes": _total_size(sizes),
        "num_spans": len(sizes),
        "max": sizes[-1],
        **{f"p{part}": int(_percentile(sizes, part / 100)) for part in (25, 50, 75)},
    }


def _total_size(sizes: Sequence[int]) -> int:
    """Without TraceInfo, which MLflow's client includes before it is complete."""
    return sum(sizes) + 2 * (len(sizes) - 1)


def _percentile(sizes: Sequence[int], part: float) -> float:
    position = part * (len(sizes) - 1)
    lower = int(position)
    upper = min(lower + 1, len(sizes) - 1)
    return sizes[lower] + (sizes[upper] - sizes[lower]) * (position - lower)
