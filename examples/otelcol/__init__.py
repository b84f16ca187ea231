"""Finds, builds and runs the OpenTelemetry Collector.

    python -m examples.otelcol

prints the path of the collector. If there is none and Go is installed, it builds one.
"""

from examples.otelcol._binary import (
    CONFIG_FOLDER,
    INSTALL_HINT,
    CollectorError,
    build_collector,
    find_collector,
)
from examples.otelcol._process import Collector

__all__ = [
    "CONFIG_FOLDER",
    "INSTALL_HINT",
    "Collector",
    "CollectorError",
    "build_collector",
    "find_collector",
]
