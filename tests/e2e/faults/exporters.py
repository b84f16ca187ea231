"""The exporters that the programs compare, and what is measured of them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult

EXPORTERS = ("mlflow", "otlp")


def create_exporter(name: str) -> SpanExporter:
    """Creates the exporter of this package, or OpenTelemetry's, with its defaults."""
    if name == "mlflow":
        from opentelemetry.exporter.mlflow import MlflowSpanExporter

        return MlflowSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(
        endpoint=os.environ["MLFLOW_TRACKING_URI"] + "/v1/traces",
        headers={"x-mlflow-experiment-id": os.environ["MLFLOW_EXPERIMENT_ID"]},
    )


class MeasuredExporter(SpanExporter):
    """Measures `exporter`.

    If `FAULTS_EXPORTED_SPANS` names a file, the ids of the spans of each export that
    has returned are appended to it: a killed process leaves them there.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.longest_export = 0.0
        path = os.environ.get("FAULTS_EXPORTED_SPANS")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._exported_spans = os.open(path, flags) if path else None

    @property
    def dropped_spans(self) -> int | None:
        """The exporter's own count; OpenTelemetry's exporter has none."""
        return getattr(self._exporter, "dropped_spans", None)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        start = time.monotonic()
        result = self._exporter.export(spans)
        self.longest_export = max(self.longest_export, time.monotonic() - start)
        if self._exported_spans is not None:
            ids = [span.context.span_id.to_bytes(8, "big") for span in spans]
            os.write(self._exported_spans, b"".join(ids))
        return result

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self) -> None:
        self._exporter.shutdown()
