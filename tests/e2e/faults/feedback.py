"""A program whose HTTP libraries are instrumented, and whose log is exported, too."""

from __future__ import annotations

import logging
import os
import time
from importlib import import_module

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry import trace

from .events import parser, report, report_sent
from .exporters import create_exporter

INSTRUMENTORS = (
    ("opentelemetry.instrumentation.requests", "RequestsInstrumentor"),
    ("opentelemetry.instrumentation.urllib3", "URLLib3Instrumentor"),
    ("opentelemetry.instrumentation.httpx", "HTTPXClientInstrumentor"),
)
SPANS = 300


def main() -> None:
    options = parser().parse_args()
    _export_logs()
    exporter = create_exporter(options.exporter)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    for module, name in INSTRUMENTORS:
        getattr(import_module(module), name)().instrument()
    tracer = provider.get_tracer("faults")
    report("started")
    for _ in range(SPANS):
        time.sleep(0.01)
        with tracer.start_as_current_span("step"):
            logging.getLogger("application").info("a step")
    report_sent(SPANS, waits=options.wait)
    provider.shutdown()
    report("ended", dropped=getattr(exporter, "dropped_spans", None))


def _export_logs() -> None:
    endpoint = os.environ["MLFLOW_TRACKING_URI"] + "/v1/logs"
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(
        BatchLogRecordProcessor(
            OTLPLogExporter(endpoint=endpoint), schedule_delay_millis=200
        )
    )
    handler = LoggingHandler(logger_provider=logger_provider)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    main()
