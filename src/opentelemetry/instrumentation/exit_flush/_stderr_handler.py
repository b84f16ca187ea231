"""Shows the log messages of this distribution where nothing else shows them.

Python writes warnings to stderr if no logging is configured. It no longer does once any
handler exists, for example the one of `opentelemetry-instrumentation-logging`, which
only sends records to OpenTelemetry. Then a user would never see why spans are lost.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress

_LEVEL_VARIABLE = "OTEL_PYTHON_LOG_LEVEL"


class StderrHandler(logging.Handler):
    """Writes to stderr if only handlers of OpenTelemetry get the record."""

    def emit(self, record: logging.LogRecord) -> None:
        if not self._has_other_handler(record.name):
            with suppress(Exception):  # stderr may be closed
                print(self.format(record), file=sys.stderr)  # noqa: T201  # as Python does

    def _has_other_handler(self, logger_name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(logger_name)
        while logger is not None:
            for handler in logger.handlers:
                if not type(handler).__module__.startswith("opentelemetry."):
                    return True
            logger = logger.parent if logger.propagate else None
        return False


def add_stderr_handler(logger_name: str) -> None:
    """Add the handler, and set the level that OTEL_PYTHON_LOG_LEVEL names, if any."""
    logger = logging.getLogger(logger_name)
    logger.addHandler(StderrHandler())
    level = getattr(logging, os.environ.get(_LEVEL_VARIABLE, "").strip().upper(), None)
    if isinstance(level, int) and logger.level == logging.NOTSET:
        logger.setLevel(level)
