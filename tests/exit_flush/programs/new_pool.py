"""Terminates pools whose workers have only just started."""

from __future__ import annotations

import os
from multiprocessing import get_context

from opentelemetry import trace

with trace.get_tracer("test").start_as_current_span("parent"):
    pass
for _ in range(5):
    with get_context("fork").Pool(8):
        pass
# The children of `os.fork`, too.
for _ in range(20):
    if (child := os.fork()) == 0:
        while True:
            pass
    os.kill(child, 15)
    assert os.waitpid(child, 0)[1] == 15
