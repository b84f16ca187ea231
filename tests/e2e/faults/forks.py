"""A program that forks while its spans are on their way. The children make spans."""

from __future__ import annotations

import os
import signal
import threading
import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .events import parser, report, report_sent
from .exporters import create_exporter

_SPANS_PER_CHILD = 5
_CHILD_TIMEOUT_SECONDS = 60


def main() -> None:
    options_parser = parser()
    options_parser.add_argument("--forks", type=int, default=200)
    options = options_parser.parse_args()
    exporter = create_exporter(options.exporter)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("faults")
    has_forked = threading.Event()
    parent_spans = 0

    def make_spans() -> None:
        nonlocal parent_spans
        while not has_forked.wait(0.01):
            tracer.start_span("parent").end()
            parent_spans += 1

    report("started")
    thread = threading.Thread(target=make_spans)
    thread.start()
    failed = 0
    for _ in range(options.forks):
        pid = os.fork()
        if not pid:
            # A child that hangs is killed, and its spans are missing.
            signal.alarm(_CHILD_TIMEOUT_SECONDS)
            for _ in range(_SPANS_PER_CHILD):
                tracer.start_span("child").end()
            provider.shutdown()
            os._exit(0)
        time.sleep(0.005)
        failed += os.waitpid(pid, 0)[1] != 0
    has_forked.set()
    thread.join()
    report_sent(parent_spans + options.forks * _SPANS_PER_CHILD, waits=options.wait)
    provider.shutdown()
    report("ended", dropped=getattr(exporter, "dropped_spans", None), failed=failed)


if __name__ == "__main__":
    main()
