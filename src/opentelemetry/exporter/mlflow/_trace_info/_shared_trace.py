"""The TraceInfo of a trace whose spans several services write. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from opentelemetry.exporter.mlflow._pricing._call_cost import COST
from opentelemetry.exporter.mlflow._trace_info._totals import total
from opentelemetry.exporter.mlflow._trace_info._trace_data import USAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Json = Mapping[str, Any]

# Metadata of the trace, and the attribute of its spans that it sums up.
_TOTALS: Final = (
    ("mlflow.trace.tokenUsage", USAGE),
    ("mlflow.trace.cost", COST),
)


def join_trace_infos(
    stored_info: Json, new_info: Json, spans: Sequence[Json]
) -> dict[str, Any]:
    """Join what another service has stored with the TraceInfo of this one.

    Both are in the JSON form of MLflow's REST API. The service that has the root of the
    trace says its name, times, state and previews: the one whose part has ended, and
    started first. What it does not have, such as a preview, is that of the other one.
    `spans` are those of both, for the totals.

    Raises KeyError, TypeError or ValueError if what is stored has another form.
    """
    main, other = sorted((stored_info, new_info), key=_order)
    metadata: dict[str, str] = {**other["trace_metadata"], **main["trace_metadata"]}
    for name, attribute in _TOTALS:
        if numbers := total(_values(spans, attribute)):
            metadata[name] = json.dumps(numbers)
    return {
        **{name: value for name, value in other.items() if value},
        **{name: value for name, value in main.items() if value},
        "trace_metadata": metadata,
        "tags": {**other["tags"], **main["tags"]},
    }


def _order(trace_info: Json) -> tuple[bool, int]:
    start = Timestamp()
    start.FromJsonString(trace_info["request_time"])
    return trace_info["state"] == "IN_PROGRESS", start.ToNanoseconds()


def _values(
    spans: Sequence[Json], attribute: str
) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            span["span_id"],
            span.get("parent_span_id") or None,
            span["attributes"].get(attribute),
        )
        for span in spans
    ]
