"""The spans that MLflow has stored in the experiment of the worker."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import Span, Trace


@contextmanager
def application_span() -> Iterator[str]:
    with mlflow.start_span("application") as span:
        yield span.span_id


def read_mlflow_spans() -> list[dict[str, Any]]:
    client = MlflowClient()
    name = os.environ["MLFLOW_EXPERIMENT_NAME"]
    experiment: Any = client.get_experiment_by_name(name)
    traces = client.search_traces(locations=[experiment.experiment_id], max_results=500)
    return [_span(span, trace) for trace in traces for span in trace.data.spans]


def _span(span: Span, trace: Trace) -> dict[str, Any]:
    attributes = dict(span.attributes)
    if span.parent_id is None:
        # What MLflow's list of traces shows.
        attributes["trace.info"] = {
            "request_preview": trace.info.request_preview,
            "response_preview": trace.info.response_preview,
            "token_usage": trace.info.token_usage,
            "cost": trace.info.cost,
        }
    return {
        "name": span.name,
        "scope": "mlflow",
        "kind": None,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "start_ns": span.start_time_ns,
        "end_ns": span.end_time_ns,
        "status": str(span.status.status_code.value),
        "description": span.status.description,
        "attributes": json.loads(json.dumps(attributes, default=str)),
        "events": [
            {
                "name": event.name,
                "time_ns": event.timestamp,
                "attributes": json.loads(
                    json.dumps(dict(event.attributes or {}), default=str)
                ),
            }
            for event in span.events
        ],
    }
