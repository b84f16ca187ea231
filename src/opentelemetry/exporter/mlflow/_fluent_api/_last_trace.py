"""Sets what `mlflow.get_last_active_trace_id()` returns: the trace of a call."""

from __future__ import annotations

import sys
from typing import Any


def set_last_active_trace(trace_id: int) -> None:
    """Set it for the process and for the current thread or task.

    The name is private. Without it the function of MLflow returns an earlier trace.

    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/fluent.py
    """
    fluent: Any = sys.modules.get("mlflow.tracing.fluent")
    if fluent is not None:
        fluent._set_last_active_trace_id(f"tr-{trace_id:032x}")  # noqa: SLF001  # see the docstring
