"""What an instrumentation adds to a call of the bare `openai` SDK, ours and its peers.

    python -m tests.benchmarks [--peers all] [--rounds 15]

Measured is the CPU time of the calling thread (`time.thread_time`), in microseconds,
over an in-process transport that answers as DeepSeek does. Every instrumentation runs
in an environment of its own with the releases that the package index has now; its
process is asked for one round at a time, in turn with all others, so that a slow moment
of the machine hits all alike. Within a round its wrappers are taken off and put on
again between single calls: bare and observed are neighbours in one process.
"""
