"""The TraceContext of each trace, by trace id."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.mlflow._fluent_api._trace_context import TraceContext

if TYPE_CHECKING:
    from collections.abc import Callable

# A trace has no end that everybody sees. The oldest ones are forgotten.
_MAX_TRACES: Final = 10_000


class TraceContexts:
    """The traces of this process. There is one instance."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, TraceContext] = OrderedDict()
        self._reset_lock()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            os.register_at_fork(after_in_child=self._reset_lock)

    def _reset_lock(self) -> None:
        # A finalizer may start a span while this thread holds the lock.
        self._lock = threading.RLock()

    def add(self, trace_id: int, context: TraceContext | None) -> None:
        """Add what was read where a span of the trace starts, also if it is nothing."""
        with self._lock:
            trace = self._traces.setdefault(trace_id, TraceContext())
            if context is not None:
                trace.add(context)
            self._traces.move_to_end(trace_id)
            if len(self._traces) > _MAX_TRACES:
                self._traces.popitem(last=False)

    @property
    def is_empty(self) -> bool:
        """True in a program that does not use MLflow."""
        return not self._traces

    def get(self, trace_id: int) -> TraceContext | None:
        return self._traces.get(trace_id)

    def has_metadata(
        self, trace_id: int, has_tracking_uri: Callable[[str], bool]
    ) -> bool:
        """Whether an exporter has metadata for the trace.

        `has_tracking_uri` tells whether it exports to a tracking URI.
        """
        trace = self._traces.get(trace_id)
        return trace is not None and bool(
            trace.metadata
            or (trace.id_metadata and has_tracking_uri(trace.tracking_uri))
        )

    def take_experiment(
        self, trace_id: int, has_tracking_uri: Callable[[str], bool]
    ) -> str | None:
        """Return the experiment for spans of the trace that are exported now.

        It does not change any more: MLflow stores a trace in one experiment.
        """
        trace = self._traces.get(trace_id)
        if trace is None:
            return None
        trace.is_experiment_final = True
        if trace.experiment_id and has_tracking_uri(trace.tracking_uri):
            return trace.experiment_id
        return None

    def take_target(
        self, trace_id: int, has_tracking_uri: Callable[[str], bool]
    ) -> tuple[str | None, str | None] | None:
        """Return experiment and run of the request with these spans, if it has any."""
        experiment_id = self.take_experiment(trace_id, has_tracking_uri)
        trace = self._traces.get(trace_id)
        run = trace.run if trace else None
        if run is not None and trace and not has_tracking_uri(trace.tracking_uri):
            run = None
        if experiment_id is None and run is None:
            return None
        return experiment_id, run.value.run_id if run else None


trace_contexts: Final = TraceContexts()
