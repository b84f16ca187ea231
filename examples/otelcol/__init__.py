"""The OpenTelemetry Collector: found on this machine, or built, and run.

    python -m examples.otelcol

prints where it is, and builds it first where there is none and Go is there.
"""

from examples.otelcol._binary import (
    CONFIGURATIONS,
    HOW_TO_GET_IT,
    CollectorError,
    build,
    found,
)
from examples.otelcol._process import Collector

__all__ = [
    "CONFIGURATIONS",
    "HOW_TO_GET_IT",
    "Collector",
    "CollectorError",
    "build",
    "found",
]
