"""A small OTLP/HTTP receiver that shows which telemetry a program sends.

`python -m examples.otlp_receiver` listens on the default OTLP/HTTP port and prints one
line per span. In a program, it stores the received telemetry in memory:

    with OtlpReceiver() as receiver:
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        ...
    print(receiver.spans)
"""

from examples.otlp_receiver._decode import LogRecord, Metric, Span
from examples.otlp_receiver._format import format_span
from examples.otlp_receiver._receiver import OtlpReceiver, Request

__all__ = ["LogRecord", "Metric", "OtlpReceiver", "Request", "Span", "format_span"]
