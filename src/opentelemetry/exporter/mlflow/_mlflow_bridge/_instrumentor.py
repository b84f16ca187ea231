"""The instrumentor that switches the MLflow bridge on and off."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)

from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge
from opentelemetry.exporter.mlflow.environment_variables import MLFLOW_TRACKING_URI

if TYPE_CHECKING:
    from collections.abc import Collection

    from opentelemetry.trace import TracerProvider

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class MlflowInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Joins the spans of `@mlflow.trace` and `mlflow.start_span` to application traces.

    These spans and the application's spans around and beneath them are one trace, with
    the same ids in MLflow and in every other backend. It takes effect with the first
    `MlflowSpanExporter`, created before or after, with every client of MLflow from 3.1.
    """

    def instrument(self, **kwargs: Any) -> None:
        """Join spans of `@mlflow.trace` with the traces of the application.

        If it is enabled already, as when a cell of a notebook runs again, only the
        provider is replaced, if there is one.

        Args:
            tracer_provider: the application's provider; default: the global provider.
        """
        if not self.is_instrumented_by_opentelemetry:
            super().instrument(**kwargs)
        elif (tracer_provider := kwargs.get("tracer_provider")) is not None:
            bridge.enable(tracer_provider)

    def instrumentation_dependencies(self) -> Collection[str]:
        # MLflow is published as three packages, and each of them is sufficient. The
        # bridge checks for the functions that it needs.
        return ()

    def _instrument(
        self, *, tracer_provider: TracerProvider | None = None, **_: Any
    ) -> None:
        """The implementation of `instrument()`."""
        bridge.enable(tracer_provider)
        trace_exporters = os.environ.get("OTEL_TRACES_EXPORTER", "")
        if (
            os.environ.get(MLFLOW_TRACKING_URI)
            and trace_exporters
            and not bridge.exporters
        ):
            _logger.info(
                "%s is set, but no spans are exported to MLflow, because "
                "OTEL_TRACES_EXPORTER is %s. Add mlflow to it.",
                MLFLOW_TRACKING_URI,
                trace_exporters,
            )

    def _uninstrument(self, **_: Any) -> None:
        bridge.disable()
