"""Makes a span, executes the first argument, and waits."""

from __future__ import annotations

import sys
import time

from opentelemetry import trace


def work(name: str) -> None:
    with trace.get_tracer("test").start_as_current_span(name):
        pass


work("first")
exec(sys.argv[1] if len(sys.argv) > 1 else "")  # the code of the test
sys.stdout.write("ready\n")
sys.stdout.flush()
while True:
    time.sleep(0.1)
