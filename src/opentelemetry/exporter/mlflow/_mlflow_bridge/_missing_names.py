"""Warnings about private names that a version of MLflow does not have.

The bridge asks for names, and never for the version of MLflow: a version newer than
those tested works without a warning if it has them.
"""

from __future__ import annotations

import logging

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_logged: set[str] = set()


def log_missing_name(consequence: str, error: Exception, advice: str = "") -> None:
    """Log what does not work, once for each consequence; `error` has the name."""
    if consequence not in _logged:
        _logged.add(consequence)
        _logger.warning(
            "%s, because this version of MLflow lacks what the integration of "
            "@mlflow.trace uses (%s: %s).%s",
            consequence,
            type(error).__name__,
            error,
            advice and f" {advice}",
            # The cause of anything else than a missing name is in the traceback.
            exc_info=None if isinstance(error, AttributeError) else error,
        )
