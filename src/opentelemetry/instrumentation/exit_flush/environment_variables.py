"""Environment variables of the flush at the end of a process."""

from __future__ import annotations

from typing import Final

OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT: Final = (
    "OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT"
)
"""
Seconds that a process may take to send its last telemetry when it ends. The default is
5. A server that does not respond delays the end of a process by no more than this.
"""
