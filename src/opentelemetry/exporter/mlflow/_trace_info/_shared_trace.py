"""The TraceInfo of a trace whose spans several services write. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREVIEWS: Final = ("request_preview", "response_preview")
_TOTALS: Final = ("mlflow.trace.tokenUsage", "mlflow.trace.cost")


def join_trace_infos(
    stored: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, Any]:
    """Join what another service has stored with the TraceInfo of this one.

    Both are in the JSON form of MLflow's REST API. The service that has the root of the
    trace says its name, times, state and previews: the one whose part has ended, and
    started first. The totals are added up.
    """
    main, other = sorted((stored, new), key=_order)
    metadata: dict[str, str] = {
        **other.get("trace_metadata", {}),
        **main.get("trace_metadata", {}),
    }
    for name in _TOTALS:
        if total := _sum(_numbers(stored, name), _numbers(new, name)):
            metadata[name] = json.dumps(total)
    previews = {name: other[name] for name in _PREVIEWS if other.get(name)}
    return {
        **previews,
        **{name: value for name, value in main.items() if value is not None},
        "trace_metadata": metadata,
        "tags": {**other.get("tags", {}), **main.get("tags", {})},
    }


def _order(trace_info: Mapping[str, Any]) -> tuple[bool, int]:
    start = Timestamp()
    start.FromJsonString(trace_info["request_time"])
    return trace_info.get("state") == "IN_PROGRESS", start.ToNanoseconds()


def _numbers(trace_info: Mapping[str, Any], name: str) -> dict[str, float]:
    text: str = trace_info.get("trace_metadata", {}).get(name, "{}")
    return cast("dict[str, float]", json.loads(text))


def _sum(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}
