"""A small OTLP/HTTP receiver, to see what a program sends.

As a program, `python -m examples.otlp_receiver`, it listens on OTLP's usual port and
prints one line per span. In process it keeps what arrived:

    with OtlpReceiver() as receiver:
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        ...
    print(receiver.spans)
"""

from examples.otlp_receiver._decode import LogRecord, Metric, Span
from examples.otlp_receiver._line import line
from examples.otlp_receiver._receiver import OtlpReceiver, Request

__all__ = ["LogRecord", "Metric", "OtlpReceiver", "Request", "Span", "line"]
