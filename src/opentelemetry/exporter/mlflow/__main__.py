"""Checks the export to MLflow. `python -m opentelemetry.exporter.mlflow --help`."""

from __future__ import annotations

import sys

from opentelemetry.exporter.mlflow._diagnosis._command import main

if __name__ == "__main__":
    sys.exit(main())
