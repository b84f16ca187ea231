"""What a process takes that sends one span to MLflow, beside the stock OTLP exporter.

    python -m tests.benchmarks.process [--rounds 5]

It imports the exporter, makes it, and sends one span to a server on the loopback
interface. Measured are its CPU time and its peak of resident memory, in turns, so that
a slow moment of the machine hits both alike.
"""

from __future__ import annotations

import argparse
import http.server
import subprocess
import sys
import threading
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_MOST_CPU: Final = 0.4
_MOST_MEMORY: Final = 60.0

_HEAVY: Final = ("mlflow", "pandas", "sqlalchemy", "openai", "numpy")
_ONE_SPAN: Final = """
import resource, sys, time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
{make}
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
with provider.get_tracer("t").start_as_current_span("s"):
    pass
heavy = {heavy} & sys.modules.keys()
assert not heavy, heavy
used = resource.getrusage(resource.RUSAGE_SELF)
unit = 2**20 if sys.platform == "darwin" else 2**10
print(used.ru_utime + used.ru_stime, used.ru_maxrss / unit)
"""
_STOCK: Final = """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
exporter = OTLPSpanExporter("{uri}/v1/traces")
"""
_OURS: Final = """
from opentelemetry.exporter.mlflow import MlflowSpanExporter
exporter = MlflowSpanExporter(tracking_uri="{uri}", experiment_id=0)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.process")
    parser.add_argument("--rounds", type=int, default=5)
    _report(parser.parse_args(arguments).rounds)


def _report(rounds: int) -> None:
    seen: dict[str, list[tuple[float, float]]] = {_STOCK: [], _OURS: []}
    with _sink() as uri:
        for _ in range(rounds):
            for make, of_it in seen.items():
                of_it.append(_process(make.format(uri=uri)))
    cpu, memory = (
        {make: median(one[number] for one in of_it) for make, of_it in seen.items()}
        for number in (0, 1)
    )
    sys.stdout.write(
        "a process that sends one span    CPU s   peak MB\n"
        f"OTLP exporter                  {cpu[_STOCK]:7.2f} {memory[_STOCK]:9.1f}\n"
        f"MLflow exporter                {cpu[_OURS]:7.2f} {memory[_OURS]:9.1f}\n"
        f"added                          {cpu[_OURS] - cpu[_STOCK]:7.2f} "
        f"{memory[_OURS] - memory[_STOCK]:9.1f}\n"
        f"the most it may add            {_MOST_CPU:7.2f} {_MOST_MEMORY:9.1f}\n"
    )


def _process(make: str) -> tuple[float, float]:
    program = _ONE_SPAN.format(make=make, heavy=set(_HEAVY))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    cpu, memory = done.stdout.split()
    return float(cpu), float(memory)


@contextmanager
def _sink() -> Generator[str]:
    """Takes every request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
