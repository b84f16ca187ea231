"""Checks the export to MLflow. `python -m opentelemetry.exporter.mlflow --help`."""

from __future__ import annotations

import sys

from opentelemetry.exporter.mlflow._missing_package import (
    MissingPackageError,
    require_extra,
)


def _run() -> int | str:
    try:
        with require_extra("mlflow", "The export to MLflow"):
            from opentelemetry.exporter.mlflow._diagnosis._command import main
    except MissingPackageError as error:
        return str(error)
    return main()


if __name__ == "__main__":
    sys.exit(_run())
