"""Makes six spans in the workers of a pool: `pool.py START_METHOD END`."""

from __future__ import annotations

import sys
from multiprocessing import get_context

from opentelemetry import trace


def work(number: int) -> None:
    with trace.get_tracer("test").start_as_current_span(f"work {number}"):
        pass


if __name__ == "__main__":
    start_method, end = sys.argv[1:]
    with get_context(start_method).Pool(2) as pool:
        pool.map(work, range(6), chunksize=1)
        if end != "terminate":
            pool.close()
        if end == "join":
            pool.join()
