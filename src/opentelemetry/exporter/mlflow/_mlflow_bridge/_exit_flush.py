"""Flushes MLflow's own export when the program ends soon after its last trace.

`mlflow.update_current_trace` sets tags, metadata, session, user, previews and state.
MLflow also records the run and the prompts of a trace. OTLP has fields for few of
these: MLflow's own exporter sends them some seconds after the root span has ended, in
threads that it starts when it sends for the first time. Python 3.12 starts no threads
while the interpreter ends. Without this module a short program loses all of them.
"""

from __future__ import annotations

import atexit
import os
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._mlflow_bridge._missing_names import (
    log_missing_name,
)

if TYPE_CHECKING:
    from types import ModuleType

# MLflow starts its threads by itself after this time, in seconds.
_MLFLOW_DELAY_SECONDS = 5.0
# MLflow's default of 7 retries takes four minutes if its server is down.
_MAX_RETRIES_VARIABLE = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_MAX_RETRIES_AT_EXIT = "2"


def start_mlflow_export_threads(provider: ModuleType) -> None:
    """Start the threads of MLflow's exporter, which empties its queue at exit.

    Uses private names because MLflow has no public ones for this: `_get_trace_exporter`
    of `mlflow.tracing.provider`, and `_async_queue` of the exporter, which does not
    exist if MLflow exports synchronously. It queues a task that does nothing instead of
    calling `activate`, which must not run during a flush. In a forked child `_is_active
    = False` makes the queue start threads of its own.

    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/export/async_export_queue.py
    """
    try:
        exporter = provider._get_trace_exporter()  # noqa: SLF001  # see the docstring
        queue = getattr(exporter, "_async_queue", None)
        if queue is not None:
            from mlflow.tracing.export.async_export_queue import Task

            queue.put(Task(handler=_do_nothing, args=()))
            # Handlers run in reverse order: this one runs before MLflow's own.
            atexit.register(_limit_retries, monotonic())
            if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
                # The child would wait for threads that only the parent has.
                deactivate = partial(setattr, queue, "_is_active", False)
                os.register_at_fork(after_in_child=deactivate)
    except Exception as error:  # noqa: BLE001  # the program must not notice
        log_missing_name(
            "What mlflow.update_current_trace sets may be lost if the program ends "
            "right after its last trace",
            error,
            "Call mlflow.flush_trace_async_logging() at the end.",
        )


def _limit_retries(start: float) -> None:
    """Limit the wait at exit of a program that is too short for MLflow's own
    threads.
    """
    if monotonic() - start < _MLFLOW_DELAY_SECONDS:
        os.environ.setdefault(_MAX_RETRIES_VARIABLE, _MAX_RETRIES_AT_EXIT)


def _do_nothing() -> None:
    pass
