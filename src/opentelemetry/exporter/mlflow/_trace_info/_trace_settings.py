"""What the program told MLflow about a trace, as attributes of translated spans.

The queue and the spool store spans and nothing else. A destination removes these
attributes before it sends a span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# On the root span of the process: an entry of the metadata of the trace.
METADATA_PREFIX: Final = "mlflow.traceMetadata."
# On the root span of the process: the TraceInfo of MLflow's client, as JSON. A
# destination that writes the TraceInfo of the same trace must repeat it.
CLIENT_TRACE_INFO: Final = "mlflow.clientTraceInfo"
# On each span: the experiment, if it is not that of the exporter.
EXPERIMENT_ID: Final = "mlflow.traceExperimentId"


def trace_metadata(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the entries that the attributes of a root span carry."""
    return {
        name.removeprefix(METADATA_PREFIX): str(value)
        for name, value in attributes.items()
        if name.startswith(METADATA_PREFIX)
    }


def has_trace_settings(attributes: Mapping[str, Any], *, is_local_root: bool) -> bool:
    return EXPERIMENT_ID in attributes or (
        is_local_root
        and (
            CLIENT_TRACE_INFO in attributes
            or any(name.startswith(METADATA_PREFIX) for name in attributes)
        )
    )


def without_trace_settings(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if name not in (CLIENT_TRACE_INFO, EXPERIMENT_ID)
        and not name.startswith(METADATA_PREFIX)
    }
