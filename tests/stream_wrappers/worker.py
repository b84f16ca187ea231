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
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .gateway_responses import GATEWAY_RESPONSES, read_async, read_sync
from .packages import CLIENT_WRAPPERS, ENVIRONMENT, PATCHES
from .usages import ASYNC_USAGES, SYNC_USAGES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
        gc.freeze()  # The objects of modules would make each collection slow.
        results = _sync_results(sync_client, simulator, spans) | asyncio.run(
            _async_results(async_client, simulator, spans)
        )
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


def _sync_results(
    client: Any, simulator: Simulator, spans: InMemorySpanExporter
) -> dict[str, Any]:
    results = {
        f"sync {name}": _result(partial(use, client), spans)
        for name, use in SYNC_USAGES.items()
    }
    for name, (response, arguments) in GATEWAY_RESPONSES.items():
        simulator.answer_next(response)
        read = partial(read_sync, client, arguments)
        results[f"sync {name}"] = _result(read, spans)
    return results


def _result(use: Callable[[], str], spans: InMemorySpanExporter) -> dict[str, Any]:
    spans.clear()
    try:
        result = {"text": use()}
    except BaseException as error:  # noqa: BLE001  # compared with the run without us
        result = {"error": type(error).__name__}
    return result | _span_names(spans)


async def _async_results(
    client: Any, simulator: Simulator, spans: InMemorySpanExporter
) -> dict[str, Any]:
    """Uses one event loop, because a client's connections belong to their loop."""
    results = {
        f"async {name}": await _async_result(use(client), spans)
        for name, use in ASYNC_USAGES.items()
    }
    for name, (response, arguments) in GATEWAY_RESPONSES.items():
        simulator.answer_next(response)
        read = read_async(client, arguments)
        results[f"async {name}"] = await _async_result(read, spans)
    return results


async def _async_result(
    use: Awaitable[str], spans: InMemorySpanExporter
) -> dict[str, Any]:
    spans.clear()
    try:
        result = {"text": await use}
    except BaseException as error:  # noqa: BLE001  # as above
        result = {"error": type(error).__name__}
    return result | _span_names(spans)


def _span_names(spans: InMemorySpanExporter) -> dict[str, Any]:
    gc.collect()
    return {"spans": [span.name for span in spans.get_finished_spans()]}


if __name__ == "__main__":
    main(*sys.argv[1:])
