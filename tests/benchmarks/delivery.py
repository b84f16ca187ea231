"""What the MLflow exporter takes, and how fast it delivers, beside the stock OTLP one.

    python -m tests.benchmarks.delivery [--rounds 5]

Two comparisons, each in turns so that a slow moment of the machine hits both alike:

- a process that imports the exporter, makes it, and sends one span to a server on the
  loopback interface: its CPU time, and its peak of resident memory;
- the same spans to one real MLflow server, as its pages show them best (ours) and as
  they are (`OTLPSpanExporter`): spans for each second until the last is stored.
"""

from __future__ import annotations

import argparse
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.quickstart.mlflow_server import MlflowServer
from opentelemetry.exporter.mlflow import MlflowSpanExporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

# As the SDK's processor gives them.
_BATCH: Final = 512
_TRACES: Final = 128
_STEPS: Final = 4
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
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.delivery")
    parser.add_argument("--rounds", type=int, default=5)
    rounds: int = parser.parse_args(arguments).rounds
    _report_process(rounds)
    _report_delivery(rounds)


def _report_process(rounds: int) -> None:
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
        f"the most it may add            {_MOST_CPU:7.2f} {_MOST_MEMORY:9.1f}\n\n"
    )


def _process(make: str) -> tuple[float, float]:
    program = _ONE_SPAN.format(make=make, heavy=set(_HEAVY))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    cpu, memory = done.stdout.split()
    return float(cpu), float(memory)


@contextmanager
def _sink() -> Iterator[str]:
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


def _report_delivery(rounds: int) -> None:
    with MlflowServer() as server:
        exporters: dict[str, SpanExporter] = {
            "OTLP exporter": OTLPSpanExporter(
                f"{server.uri}/v1/traces",
                headers={"x-mlflow-experiment-id": "0"},
                timeout=60,
            ),
            "MLflow exporter": MlflowSpanExporter(
                tracking_uri=server.uri, experiment_id=0, timeout=60
            ),
        }
        for exporter in exporters.values():
            _rate(exporter, 8)  # the first spans wait for what the server loads
        rates: dict[str, list[float]] = {name: [] for name in exporters}
        for number in range(rounds):
            # Whoever is second finds a larger database.
            names = list(exporters)[:: -1 if number % 2 else 1]
            for name in names:
                rates[name].append(_rate(exporters[name], _TRACES))
        stored = _stored(server.uri)
    sent = 2 * (8 + rounds * _TRACES)
    assert stored == sent, f"{stored} traces of {sent}"
    stock, ours = (median(of_it) for of_it in rates.values())
    sys.stdout.write("to an MLflow server            spans/s   (each round)\n")
    for name, of_it in rates.items():
        each = " ".join(f"{rate:.0f}" for rate in of_it)
        sys.stdout.write(f"{name:<30} {median(of_it):7.0f}   ({each})\n")
    sys.stdout.write(f"ours, of the stock one's       {ours / stock:7.2f}\n")


def _rate(exporter: SpanExporter, traces: int) -> float:
    spans = _spans(traces)
    began = time.perf_counter()
    for first in range(0, len(spans), _BATCH):
        result = exporter.export(spans[first : first + _BATCH])
        assert result is SpanExportResult.SUCCESS
    return len(spans) / (time.perf_counter() - began)


def _spans(traces: int) -> list[ReadableSpan]:
    """Of web requests, each answered by an agent in four steps: a call and a tool."""
    finished = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    start = provider.get_tracer("benchmark").start_as_current_span
    for _ in range(traces):
        with start("POST /ask"), start("invoke_agent teller", attributes=_AGENT):
            for _ in range(_STEPS):
                with start("chat deepseek-chat", attributes=_CHAT):
                    pass
                with start("execute_tool clock", attributes=_TOOL):
                    pass
    return list(finished.get_finished_spans())


def _message(role: str, text: str) -> str:
    parts = [{"type": "text", "content": text}]
    return json.dumps([{"role": role, "parts": parts, "finish_reason": "stop"}])


_AGENT: Final = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "teller"}
_TOOL: Final = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "clock",
    "gen_ai.tool.call.arguments": '{"zone": "UTC"}',
    "gen_ai.tool.call.result": "2026-11-22T12:00:00Z",
}
# Two kilobytes of content.
_CHAT: Final[dict[str, Any]] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-chat",
    "gen_ai.response.model": "deepseek-chat",
    "gen_ai.input.messages": _message("user", "What is the weather in Paris? " * 33),
    "gen_ai.output.messages": _message("assistant", "It is cool, and it rains. " * 38),
    "gen_ai.usage.input_tokens": 500,
    "gen_ai.usage.output_tokens": 300,
    "server.address": "api.deepseek.com",
}


def _stored(uri: str) -> int:
    """Traces, as the server's own charts count them."""
    request = urllib.request.Request(
        f"{uri}/api/3.0/mlflow/traces/metrics",
        json.dumps(
            {
                "experiment_ids": ["0"],
                "view_type": "TRACES",
                "metric_name": "trace_count",
                "aggregations": [{"aggregation_type": "COUNT"}],
            }
        ).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        (point,) = json.load(answer)["data_points"]
        return int(point["values"]["COUNT"])


if __name__ == "__main__":
    main()
