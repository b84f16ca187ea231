"""A program with many threads, each of which exports its spans itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from .events import parser, report, report_sent
from .exporters import MeasuredExporter, create_exporter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter


class ThreadProcessor(SpanProcessor):
    """Exports the spans of a thread in its own batches, in that thread."""

    def __init__(self, exporter: SpanExporter, batch_size: int) -> None:
        self._exporter = exporter
        self._batch_size = batch_size
        self._thread = threading.local()

    def on_end(self, span: ReadableSpan) -> None:
        batch: list[ReadableSpan] = self._thread.__dict__.setdefault("batch", [])
        batch.append(span)
        if len(batch) == self._batch_size:
            self._exporter.export(batch)
            batch.clear()

    def shutdown(self) -> None:
        self._exporter.shutdown()


def main() -> None:
    options_parser = parser()
    options_parser.add_argument("--threads", type=int, default=64)
    options_parser.add_argument("--spans", type=int, default=1000, help="of a thread")
    options_parser.add_argument("--batch", type=int, default=50)
    options = options_parser.parse_args()
    exporter = MeasuredExporter(create_exporter(options.exporter))
    provider = TracerProvider()
    provider.add_span_processor(ThreadProcessor(exporter, options.batch))
    tracer = provider.get_tracer("faults")

    def make_spans() -> None:
        for _ in range(options.spans):
            tracer.start_span("step").end()

    report("started")
    threads = [threading.Thread(target=make_spans) for _ in range(options.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report_sent(options.threads * options.spans, waits=options.wait)
    longest_export = exporter.longest_export
    provider.shutdown()
    report("ended", dropped=exporter.dropped_spans, longest_export=longest_export)


if __name__ == "__main__":
    main()
