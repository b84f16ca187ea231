"""Sends the telemetry that still waits when a process ends.

OpenTelemetry's SDK sends spans, metrics and log records in batches, and sends the last
batch when the interpreter exits. Many processes end in another way: by SIGTERM, or as a
worker of `multiprocessing` or Celery. Their last batch is lost. This library sends it::

    from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor

    ExitFlushInstrumentor().instrument()

Call it in the main thread, before the program installs signal handlers of its own.
`opentelemetry-instrument python app.py` does the same without a change to the code.

It flushes the global trace, meter and logger providers before the process ends by

- SIGTERM or SIGHUP, if the program does not handle the signal, and SIGINT, if its
  action is the default of the operating system (Python's own is `KeyboardInterrupt`);
- one of these signals that the program, or a server such as uvicorn, has handled and
  raises again;
- the end of a child of `multiprocessing`, of a worker of its pools or of
  `ProcessPoolExecutor`, or of a process of Celery.

The process then ends as it would without this library, with the same status. The flush
takes at most `OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT` seconds, or those of
`instrument(timeout=...)`. Spans that end during the flush may be lost.
"""

from __future__ import annotations

from opentelemetry.instrumentation.exit_flush._instrumentor import ExitFlushInstrumentor
from opentelemetry.instrumentation.exit_flush._stderr_handler import add_stderr_handler

__all__ = ["ExitFlushInstrumentor"]

add_stderr_handler(__name__)
