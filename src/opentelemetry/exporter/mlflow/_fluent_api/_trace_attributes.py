"""Puts what the program told MLflow about a trace on the translated spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.mlflow._mapping import SESSION, USER
from opentelemetry.exporter.mlflow._trace_info._trace_settings import METADATA_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.exporter.mlflow._fluent_api._trace_context import TraceContext

_TAG_PREFIX: Final = "mlflow.traceTag."
_TRACE_NAME: Final = "mlflow.traceName"


def add_trace_context(
    attributes: dict[str, Any],
    context: TraceContext,
    has_tracking_uri: Callable[[str], bool],
    *,
    is_local_root: bool,
) -> None:
    """Add session and user, and to the local root tags and metadata.

    They take precedence over what the program says in other ways: MLflow's client sends
    them with the TraceInfo, which takes precedence over attributes of spans.
    """
    if context.session is not None:
        attributes[SESSION] = context.session
    if context.user is not None:
        attributes[USER] = context.user
    if not is_local_root:
        return
    for key, value in context.tags.items():
        if key != _TRACE_NAME:  # MLflow takes the name of the root span.
            attributes[_TAG_PREFIX + key] = value
    metadata = context.id_metadata
    if metadata and not has_tracking_uri(context.tracking_uri):
        metadata = {}
    # The context may name a run or a model of its own, as in MLflow.
    for key, value in (metadata | context.metadata).items():
        attributes[METADATA_PREFIX + key] = value
