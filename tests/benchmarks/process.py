"""Measures a process that sends one span, with the MLflow and the OTLP exporter.

    python -m tests.benchmarks.process [--rounds 5]

The process imports and creates the exporter and sends one span to a server on the
loopback interface. Measured are its CPU time and its peak of resident memory. The
exporters take turns, so that a slow moment of the machine affects both.
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

_MAX_ADDED_CPU_SECONDS: Final = 0.4
_MAX_ADDED_MEMORY_MB: Final = 60.0

# Large packages that the exporters must not import.
_FORBIDDEN_IMPORTS: Final = ("mlflow", "pandas", "sqlalchemy", "openai", "numpy")
_PROGRAM: Final = """
import resource, sys, time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
{create_exporter}
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
with provider.get_tracer("t").start_as_current_span("s"):
    pass
imported = {forbidden} & sys.modules.keys()
assert not imported, imported
usage = resource.getrusage(resource.RUSAGE_SELF)
unit = 2**20 if sys.platform == "darwin" else 2**10
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)
"""
_OTLP_EXPORTER: Final = """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
exporter = OTLPSpanExporter("{uri}/v1/traces")
"""
_MLFLOW_EXPORTER: Final = """
from opentelemetry.exporter.mlflow import MlflowSpanExporter
exporter = MlflowSpanExporter(tracking_uri="{uri}", experiment_id=0)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.process")
    parser.add_argument("--rounds", type=int, default=5)
    _measure(parser.parse_args(arguments).rounds)


def _measure(rounds: int) -> None:
    results: dict[str, list[tuple[float, float]]] = {
        _OTLP_EXPORTER: [],
        _MLFLOW_EXPORTER: [],
    }
    with _server() as uri:
        for _ in range(rounds):
            for exporter, runs in results.items():
                runs.append(_run_process(exporter.format(uri=uri)))
    cpu, memory = (
        {
            exporter: median(run[position] for run in runs)
            for exporter, runs in results.items()
        }
        for position in (0, 1)
    )
    rows = {
        "OTLP exporter": (cpu[_OTLP_EXPORTER], memory[_OTLP_EXPORTER]),
        "MLflow exporter": (cpu[_MLFLOW_EXPORTER], memory[_MLFLOW_EXPORTER]),
        "difference": (
            cpu[_MLFLOW_EXPORTER] - cpu[_OTLP_EXPORTER],
            memory[_MLFLOW_EXPORTER] - memory[_OTLP_EXPORTER],
        ),
        "target: at most": (_MAX_ADDED_CPU_SECONDS, _MAX_ADDED_MEMORY_MB),
    }
    sys.stdout.write("a process that sends one span    CPU s   peak MB\n")
    for title, (seconds, megabytes) in rows.items():
        sys.stdout.write(f"{title:<30} {seconds:7.2f} {megabytes:9.1f}\n")


def _run_process(create_exporter: str) -> tuple[float, float]:
    program = _PROGRAM.format(
        create_exporter=create_exporter, forbidden=set(_FORBIDDEN_IMPORTS)
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    cpu, memory = process.stdout.split()
    return float(cpu), float(memory)


@contextmanager
def _server() -> Generator[str]:
    """Runs a server that accepts every request and yields its URI."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # inherited
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
