"""Runs the programs in `examples/` with real servers."""

from __future__ import annotations

from tests.published_programs import conftest

# The fixtures of the published programs.
mlflow_server = conftest.mlflow_server
pace = conftest.pace
telemetry = conftest.telemetry
environment = conftest.environment
