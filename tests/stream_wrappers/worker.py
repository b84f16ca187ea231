"""Uses streams with one other package enabled, and prints the results as JSON.

`python -m tests.stream_wrappers.worker PACKAGE ORDER`; ORDER is `deepseek-first`,
`other-first` or `other-only`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .packages import CLIENT_WRAPPERS, ENVIRONMENT, PATCHES
from .usages import ASYNC_USAGES, SYNC_USAGES

os.environ.update(ENVIRONMENT)


def main(package: str, order: str) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    def instrument() -> None:
        DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])

    with Simulator() as simulator:
        if order == "deepseek-first":
            instrument()
        if package in PATCHES:
            PATCHES[package]()
        sync_client, async_client = _clients(simulator.base_url, package)
        if order == "other-first":
            instrument()
        results = {
            f"sync {name}": _result(lambda use=use: use(sync_client), spans)
            for name, use in SYNC_USAGES.items()
        } | {
            f"async {name}": _result(
                lambda use=use: asyncio.run(use(async_client)), spans
            )
            for name, use in ASYNC_USAGES.items()
        }
    sys.stdout.write(f"{json.dumps(results)}\n")
    sys.stdout.flush()
    # The threads of some packages wait for a server that does not exist.
    os._exit(0)


def _clients(url: str, package: str) -> tuple[Any, Any]:
    import openai

    wrap = CLIENT_WRAPPERS.get(package, lambda client: client)
    return (
        wrap(openai.OpenAI(base_url=url, api_key="any")),
        wrap(openai.AsyncOpenAI(base_url=url, api_key="any")),
    )


def _result(use: Any, spans: InMemorySpanExporter) -> dict[str, Any]:
    spans.clear()
    try:
        result = {"text": use()}
    except BaseException as error:  # noqa: BLE001  # compared with the run without us
        result = {"error": type(error).__name__}
    gc.collect()
    finished = spans.get_finished_spans()
    return result | {"spans": [span.name for span in finished]}


if __name__ == "__main__":
    main(*sys.argv[1:])
