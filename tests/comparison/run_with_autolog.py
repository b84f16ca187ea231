"""Runs an unchanged program with MLflow's autologging enabled.

`python run_with_autolog.py openai PROGRAM [ARGUMENT …]`; with `otel` instead of
`openai`, MLflow takes the spans of OpenTelemetry's instrumentations.
"""

from __future__ import annotations

import importlib
import runpy
import sys

import mlflow

library = sys.argv[1]
del sys.argv[:2]
importlib.import_module(f"mlflow.{library}").autolog()
sys.path[0] = ""
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    # Without this, a script loses its last trace. `terminate` avoids a second flush at
    # exit, which takes a second.
    mlflow.flush_trace_async_logging(terminate=True)
