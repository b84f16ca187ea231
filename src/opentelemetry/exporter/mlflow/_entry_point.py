"""The exporter that OTEL_TRACES_EXPORTER=mlflow selects."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow._exporter import MlflowSpanExporter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class ConfiguredSpanExporter(MlflowSpanExporter):
    """MlflowSpanExporter that drops spans if a setting is invalid.

    OpenTelemetry's configurator creates the exporters of a program. If one raises an
    exception, it configures none of them. This one logs the error instead.
    """

    def __init__(self, **arguments: Any) -> None:
        self._is_off = False
        self._spans_while_off = 0
        try:
            super().__init__(**arguments)
        except Exception as error:  # noqa: BLE001  # other exporters must not be affected
            self._is_off = True
            text = str(error)
            if not isinstance(error, (ImportError, ValueError)):
                text = f"{type(error).__name__}: {text}"
            _logger.error(  # noqa: TRY400  # the message is sufficient
                "Nothing is exported to MLflow: %s. Other exporters are not affected.",
                " ".join(text.split()),
            )

    @property
    def dropped_spans(self) -> int:
        return self._spans_while_off if self._is_off else super().dropped_spans

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._is_off:
            self._spans_while_off += len(spans)
            return SpanExportResult.FAILURE
        return super().export(spans)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._is_off or super().force_flush(timeout_millis)

    def shutdown(self) -> None:
        if not self._is_off:
            super().shutdown()
