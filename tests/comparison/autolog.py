"""Runs a program with MLflow's autologging on, and nothing changed in it.

`python autolog.py openai PROGRAM [ARGUMENT …]`
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
    # A script's last trace is lost without it; a second flush, at exit, takes a second.
    mlflow.flush_trace_async_logging(terminate=True)
