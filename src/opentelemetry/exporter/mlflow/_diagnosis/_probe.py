"""A trace that is sent to MLflow, and read back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from opentelemetry.exporter.mlflow._destinations import ExportError, TraceInfoReader
from opentelemetry.exporter.mlflow._diagnosis._configuration import DestinationKind
from opentelemetry.exporter.mlflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from opentelemetry.exporter.mlflow._diagnosis._configuration import Configuration

_SCOPE: Final = "opentelemetry.exporter.mlflow"
SPAN_NAME: Final = f"{_SCOPE} probe"
# MLflow shows an attribute of the resource as a tag of the trace.
TAG: Final = f"{_SCOPE}.probe"

_READ_ATTEMPTS: Final = 10
_READ_DELAY_SECONDS: Final = 0.5


class StoredTrace(NamedTuple):
    state: str
    experiment_id: str


def make_probe_span() -> ReadableSpan:
    """Return a finished span without a parent.

    It is not made by a tracer, because a sampler of the environment might drop it.
    """
    ids = RandomIdGenerator()
    now = time.time_ns()
    return ReadableSpan(
        SPAN_NAME,
        SpanContext(
            ids.generate_trace_id(),
            ids.generate_span_id(),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        ),
        resource=Resource({TAG: "true"}),
        status=Status(StatusCode.OK),
        start_time=now - 1_000_000,
        end_time=now,
        instrumentation_scope=InstrumentationScope(_SCOPE, __version__),
    )


def trace_id(span: ReadableSpan) -> int:
    return span.context.trace_id if span.context else 0


def mlflow_trace_id(span: ReadableSpan) -> str:
    return f"tr-{trace_id(span):032x}"


def read_trace(configuration: Configuration, span: ReadableSpan) -> StoredTrace:
    """Raises ExportError if the trace is not there."""
    for attempt in range(_READ_ATTEMPTS):
        if attempt:
            time.sleep(_READ_DELAY_SECONDS)
        if trace_info := _read_trace_info(configuration, span):
            location = trace_info["trace_location"]["mlflow_experiment"]
            return StoredTrace(trace_info["state"], location["experiment_id"])
    raise ExportError(
        "MLflow has accepted the trace, but does not return it",
        "See MLflow's log for the reason",
    )


def _read_trace_info(
    configuration: Configuration, span: ReadableSpan
) -> Mapping[str, Any] | None:
    if configuration.kind is DestinationKind.LOCAL_STORE:
        from mlflow import MlflowClient

        trace = MlflowClient(configuration.uri.value).get_trace(mlflow_trace_id(span))
        trace_info: dict[str, Any] = trace.info.to_dict()
        return trace_info
    destination = configuration.destination
    return (
        destination.read_trace_info(trace_id(span))
        if isinstance(destination, TraceInfoReader)
        else None
    )
