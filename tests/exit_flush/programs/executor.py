"""Makes six spans in the workers of an executor: `executor.py START_METHOD`."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from opentelemetry import trace


def work(number: int) -> None:
    with trace.get_tracer("test").start_as_current_span(f"work {number}"):
        pass


if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context(sys.argv[1])) as executor:
        list(executor.map(work, range(6)))
