"""The switch for one tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)

from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import one_tree

if TYPE_CHECKING:
    from collections.abc import Collection

    from opentelemetry.trace import TracerProvider


class MlflowInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Puts the spans of `@mlflow.trace` and `mlflow.start_span` in the same tree.

    They, and the application's spans around and beneath them, are one trace with the
    same ids in MLflow and in every other backend. It takes effect with the first
    `MlflowSpanExporter`, before or after, and for `mlflow` 3.16 and later.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        # MLflow comes in three packages, any of which will do; see `OneTree._begin`.
        return ()

    def _instrument(
        self, *, tracer_provider: TracerProvider | None = None, **_: Any
    ) -> None:
        """Args of `instrument()`: tracer_provider, by default the global one."""
        one_tree.want(tracer_provider)

    def _uninstrument(self, **_: Any) -> None:
        one_tree.stop()
