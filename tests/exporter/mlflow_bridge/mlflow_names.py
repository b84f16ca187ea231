"""Skips tests of what the installed version of MLflow does not have.

It reads MLflow's files: most tests here must not import MLflow in their own process.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


def has_name(path, name):
    """Whether a file of the package `mlflow` exists and contains a name."""
    (folder,) = find_spec("mlflow").submodule_search_locations
    file = Path(folder, path)
    return file.exists() and name in file.read_text()


def require_name(path, name):
    if not has_name(path, name):
        pytest.skip(f"this version of MLflow has no {name} in mlflow/{path}")


SAMPLING_RATIO = ("environment_variables.py", "MLFLOW_TRACE_SAMPLING_RATIO")
OWN_CONTEXT = ("tracing/provider.py", "mlflow_runtime_context")
CONTEXT_FROM_HEADERS = (
    "tracing/distributed/__init__.py",
    "set_tracing_context_from_http_request_headers",
)
LOG_SPANS = ("tracing/client.py", "def log_spans")
