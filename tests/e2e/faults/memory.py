"""A program that makes many calls, and measures how its memory grows.

The calls are those of a real `openai` client with an in-process transport.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import sys
from array import array
from statistics import linear_regression
from typing import TYPE_CHECKING, Any

import psutil
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry import trace
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from tests.benchmarks.worker.transport import create_client

from .events import parser, report, report_sent
from .exporters import create_exporter

if TYPE_CHECKING:
    from collections.abc import Callable

    import openai
    from opentelemetry.trace import Tracer

_SAMPLES = 40
_WARM_UP_SAMPLES = 20
_REQUEST: dict[str, Any] = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "How many r's are in strawberry?"}],
    # The transport answers with a short stream.
    "max_tokens": 100,
}


def main() -> None:
    options_parser = parser()
    options_parser.add_argument("--work", choices=_WORK, default="calls")
    options_parser.add_argument("--count", type=int, default=20_000)
    options = options_parser.parse_args()
    exporter = create_exporter(options.exporter)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    DeepSeekInstrumentor().instrument(tracer_provider=provider)
    work = _WORK[options.work](create_client(), provider.get_tracer("faults"))
    process = psutil.Process()
    report("started")
    # Arrays, because new numbers would count as blocks.
    memory, blocks = array("q", [0] * _SAMPLES), array("q", [0] * _SAMPLES)
    for index in range(_SAMPLES):
        for _ in range(options.count // _SAMPLES):
            work()
        provider.force_flush()
        gc.collect()
        _trim()
        memory[index] = process.memory_info().rss
        blocks[index] = sys.getallocatedblocks()
    report_sent(0, waits=options.wait)
    provider.shutdown()
    calls = options.count // _SAMPLES
    report(
        "ended",
        memory_slope=_slope(memory) * 1000 / calls,
        block_slope=_slope(blocks) * 1000 / calls,
    )


def _trim() -> None:
    """Gives back what the C library has freed: it is not a leak, and differs a lot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _slope(samples: array[int]) -> float:
    """Returns the growth from one sample to the next, after the warm-up."""
    values = samples[_WARM_UP_SAMPLES:]
    return linear_regression(range(len(values)), values).slope


def _call(client: openai.OpenAI, _: Tracer) -> Callable[[], object]:
    return lambda: client.chat.completions.create(**_REQUEST)


def _abandoned_stream(client: openai.OpenAI, _: Tracer) -> Callable[[], object]:
    def read_one_chunk() -> None:
        next(client.chat.completions.create(**_REQUEST, stream=True))

    return read_one_chunk


def _open_root(_: openai.OpenAI, tracer: Tracer) -> Callable[[], object]:
    names = itertools.cycle(("chat", "step"))

    def start_root_and_end_child() -> None:
        root = tracer.start_span("request")
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
        context = trace.set_span_in_context(root)
        tracer.start_span(next(names), context, attributes=attributes).end()

    return start_root_and_end_child


_WORK = {
    "calls": _call,
    "abandoned-streams": _abandoned_stream,
    "open-roots": _open_root,
}

if __name__ == "__main__":
    main()
