"""What MLflow has to say of a trace besides its spans, in a program that ends at once.

Tags, metadata, session, user, previews and state that `mlflow.update_current_trace`
sets, the run, the prompts: MLflow's own exporter sends them, seconds after the root has
ended, and OTLP has a place for few of them. It starts its threads when it has something
to send for the first time. In a program that is over by then Python (3.12) starts no
threads any more, and all of it is lost.
"""

from __future__ import annotations

import atexit
import logging
import os
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# Seconds after which MLflow starts them by itself.
_SOON = 5.0
# MLflow tries eight times, which takes four minutes where its server has gone.
_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_FEW = "2"


def see_to_them(provider: ModuleType) -> None:
    """Has MLflow's exporter start its threads now; it empties its queue at the end.

    By private names, for there is no public way: `_get_trace_exporter` of
    `mlflow.tracing.provider`, and the exporter's `_async_queue`, which is not there
    where MLflow sends at once. A task that does nothing, and not its `activate`, which
    must not meet a flush. In a forked child its `_is_active` says it has to start anew.

    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/export/async_export_queue.py
    """
    try:
        exporter = provider._get_trace_exporter()  # noqa: SLF001  # see above
        queue = getattr(exporter, "_async_queue", None)
        if queue is not None:
            from mlflow.tracing.export.async_export_queue import Task

            queue.put(Task(handler=_nothing, args=()))
            atexit.register(_hurry, monotonic())  # before MLflow's own end
            if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
                # It would wait there for threads that are the parent's.
                inactive = partial(setattr, queue, "_is_active", False)
                os.register_at_fork(after_in_child=inactive)
    except Exception:
        _logger.warning(
            "What mlflow.update_current_trace sets may not arrive from a program that "
            "ends at once: this version of MLflow is not one of 3.16 to 3.17. Call "
            "mlflow.flush_trace_async_logging() at its end.",
            exc_info=True,
        )


def _hurry(since: float) -> None:
    """A program that ends at once is not held up for what would else have been lost."""
    if monotonic() - since < _SOON:
        os.environ.setdefault(_RETRIES, _FEW)


def _nothing() -> None:
    pass
