"""The instrumentor that switches the MLflow bridge on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)

from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

if TYPE_CHECKING:
    from collections.abc import Collection

    from opentelemetry.trace import TracerProvider


class MlflowInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Joins the spans of `@mlflow.trace` and `mlflow.start_span` to application traces.

    These spans and the application's spans around and beneath them are one trace, with
    the same ids in MLflow and in every other backend. It takes effect with the first
    `MlflowSpanExporter`, created before or after, and needs `mlflow` 3.16 or later.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        # MLflow is published as three packages, and each of them is sufficient. The
        # bridge checks for the functions that it needs.
        return ()

    def _instrument(
        self, *, tracer_provider: TracerProvider | None = None, **_: Any
    ) -> None:
        """Enable the bridge.

        Args of `instrument()`:
            tracer_provider: the application's provider; by default the global one.
        """
        bridge.enable(tracer_provider)

    def _uninstrument(self, **_: Any) -> None:
        bridge.disable()
