"""The exporter that OTEL_TRACES_EXPORTER=mlflow selects."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class ConfiguredSpanExporter(SpanExporter):
    """Becomes an MlflowSpanExporter, or a DroppingSpanExporter if that is not possible.

    OpenTelemetry's configurator creates the exporters of a program. If one raises an
    exception, because a setting is invalid or a package is missing, it configures none
    of them. This one logs the error instead.
    """

    def __new__(cls, **arguments: Any) -> SpanExporter:  # type: ignore[misc]  # see the docstring
        try:
            from opentelemetry.exporter.mlflow import MlflowSpanExporter

            return MlflowSpanExporter(**arguments)
        except Exception as error:  # noqa: BLE001  # other exporters must not be affected
            text = str(error)
            if not isinstance(error, (ImportError, ValueError)):
                text = f"{type(error).__name__}: {text}"
            _logger.error(  # noqa: TRY400  # the message is sufficient
                "Nothing is exported to MLflow: %s. Other exporters are not affected.",
                " ".join(text.split()),
            )
            return DroppingSpanExporter()


class DroppingSpanExporter(SpanExporter):
    """Counts the spans that it drops."""

    def __init__(self) -> None:
        self.dropped_spans = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.dropped_spans += len(spans)
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's signature
        return True

    def shutdown(self) -> None:
        pass
