"""What MLflow would record of a trace that starts here: run, model, experiment, tags.

MLflow reads these values where a trace starts. A trace of the application often starts
earlier, with a web request. Therefore they are read where each of its spans starts.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_SESSION = "mlflow.trace.session"
_USER = "mlflow.trace.user"
_SOURCE_RUN = "mlflow.sourceRun"
_MODEL_ID = "mlflow.modelId"
_EXPERIMENT_ID = "mlflow.experimentId"

_T = TypeVar("_T")


# Python 3.10 has no named tuple that is generic.
@dataclass(frozen=True)
class Scoped(Generic[_T]):
    """A value, and whether it was set for this thread or context alone.

    A web request may start while another request has a run. What its own thread sets
    later takes precedence over that.
    """

    value: _T
    is_local: bool


class Run(NamedTuple):
    run_id: str
    experiment_id: str


@dataclass
class TraceContext:
    """The values of one trace.

    `tracking_uri` is where its ids are valid. `is_sampled`: MLflow records the trace,
    whatever its share of all traces is.
    """

    tracking_uri: str = ""
    run: Scoped[Run] | None = None
    model_id: Scoped[str] | None = None
    destination: Scoped[str] | None = None
    context_metadata: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    is_experiment_final: bool = False
    is_sampled: bool = False

    def add(self, other: TraceContext) -> None:
        """Add what was read later. The first value counts, as in MLflow."""
        if not self.is_experiment_final:
            self.destination = _first(self.destination, other.destination)
            self.run = _first(self.run, other.run)
        self.model_id = _first(self.model_id, other.model_id)
        self.context_metadata = {**other.context_metadata, **self.context_metadata}
        self.tags = {**other.tags, **self.tags}
        self.tracking_uri = self.tracking_uri or other.tracking_uri
        self.is_sampled |= other.is_sampled

    @property
    def experiment_id(self) -> str | None:
        if self.destination is not None:
            return self.destination.value
        return self.run.value.experiment_id if self.run else None

    @property
    def session(self) -> str | None:
        return self.context_metadata.get(_SESSION)

    @property
    def user(self) -> str | None:
        return self.context_metadata.get(_USER)

    @property
    def id_metadata(self) -> dict[str, str]:
        """Metadata that are valid at `tracking_uri` only."""
        metadata: dict[str, str] = {}
        if self.run is not None:
            metadata[_SOURCE_RUN] = self.run.value.run_id
        if self.model_id is not None:
            metadata[_MODEL_ID] = self.model_id.value
        return metadata

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata without session and user, which spans have as attributes."""
        return {
            name: value
            for name, value in self.context_metadata.items()
            if name not in (_SESSION, _USER)
        }


def _first(first: Scoped[_T] | None, second: Scoped[_T] | None) -> Scoped[_T] | None:
    if first is None or (second is not None and second.is_local > first.is_local):
        return second
    return first


def read_trace_context() -> TraceContext | None:
    """Read the values that hold here. Returns None if there are none.

    Uses private names of MLflow, because the public functions show less: a run that
    another thread has started, a model that it has set, and a destination.

    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/processor/base_mlflow.py
    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/destination.py
    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/context.py
    """
    context: Any = sys.modules.get("mlflow.tracing.context")
    metadata = context.get_configured_trace_metadata() if context else None
    tags = context.get_configured_trace_tags() if context else None
    fluent: Any = sys.modules.get("mlflow.tracking.fluent")
    run = _run(fluent) if fluent else None
    model_id = _model_id(fluent) if fluent else None
    destination = _destination()
    has_ids = run or model_id or destination
    if not (metadata or tags or has_ids):
        return None
    mlflow: Any = sys.modules["mlflow"]
    return TraceContext(
        str(mlflow.get_tracking_uri()) if has_ids else "",
        run,
        model_id,
        destination,
        _texts(metadata),
        _texts(tags),
    )


def with_destination_of_root(
    context: TraceContext | None, attributes: Mapping[str, Any] | None
) -> TraceContext | None:
    """Add the argument `trace_destination` of `@mlflow.trace` and `start_span`.

    MLflow has it as an attribute of its root span.
    """
    experiment_id = (attributes or {}).get(_EXPERIMENT_ID)
    if experiment_id is None:
        return context
    context = context or TraceContext(str(sys.modules["mlflow"].get_tracking_uri()))
    context.destination = Scoped(str(json.loads(experiment_id)), is_local=True)
    return context


def _run(fluent: Any) -> Scoped[Run] | None:
    run = fluent.active_run() if hasattr(fluent, "active_run") else None
    is_local = run is not None
    run = run or fluent._get_latest_active_run()  # noqa: SLF001  # see read_trace_context
    if run is None:
        return None
    return Scoped(Run(str(run.info.run_id), str(run.info.experiment_id)), is_local)


def _model_id(fluent: Any) -> Scoped[str] | None:
    if model_id := fluent.get_active_model_id():
        return Scoped(str(model_id), is_local=True)
    model_id = fluent._get_active_model_id_global()  # noqa: SLF001  # see read_trace_context
    return Scoped(str(model_id), is_local=False) if model_id else None


def _destination() -> Scoped[str] | None:
    provider: Any = sys.modules.get("mlflow.tracing.provider")
    # In MLflow 3.1 and 3.2 this is the destination itself.
    registry: Any = getattr(provider, "_MLFLOW_TRACE_USER_DESTINATION", None)
    destination = registry.get() if hasattr(registry, "get") else registry
    experiment_id = getattr(destination, "experiment_id", None)
    if not experiment_id:
        return None
    local_value = getattr(registry, "_context_local_value", None)
    is_local = local_value is not None and local_value.get() is not None
    return Scoped(str(experiment_id), is_local)


def _texts(values: dict[str, Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items()}
