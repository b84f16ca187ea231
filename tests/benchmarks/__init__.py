"""Measures the overhead that instrumentations add to a call of the `openai` SDK.

    python -m tests.benchmarks [--peers all] [--rounds 15]

Measured is the CPU time of the calling thread (`time.thread_time`), in microseconds,
with an in-process transport that responds as DeepSeek does. Every instrumentation has
its own environment with the latest releases, and its own process. The processes measure
one round at a time, in turn, so that a slow moment of the machine affects all of them.
Within a round, the wrappers are removed and restored between single calls, so that
calls with and without instrumentation alternate in one process.
"""
