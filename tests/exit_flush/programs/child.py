"""Makes a span in a child and one in the parent: `child.py START_METHOD CHILD`."""

from __future__ import annotations

import sys
import threading
import time
from multiprocessing import get_context
from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event


def work(name: str) -> None:
    with trace.get_tracer("test").start_as_current_span(name):
        pass


def work_later() -> None:
    time.sleep(0.5)
    work("thread")


def run_child(kind: str, is_ready: Event) -> None:
    work("child")
    if kind == "thread":
        threading.Thread(target=work_later).start()
    if kind == "exit":
        sys.exit(3)
    if kind == "error":
        raise LookupError
    if kind == "terminate":
        is_ready.set()
        time.sleep(60)


if __name__ == "__main__":
    start_method, kind = sys.argv[1:]
    work("parent")
    context = get_context(start_method)
    is_ready = context.Event()
    process = context.Process(target=run_child, args=(kind, is_ready))
    process.start()
    if kind == "terminate":
        is_ready.wait()
        process.terminate()
    process.join()
    sys.stdout.write(f"{process.exitcode}\n")
