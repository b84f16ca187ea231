"""Threads, tasks and forks: every started span ends, in its own context."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.sdk.trace import SpanProcessor

from .conftest import CHAT, SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


class StartCounter(SpanProcessor):
    def __init__(self) -> None:
        self.count = 0

    def on_start(self, *_: Any, **__: Any) -> None:
        self.count += 1


@pytest.fixture
def starts(telemetry: Telemetry) -> StartCounter:
    processor = StartCounter()
    telemetry.tracer_provider.add_span_processor(processor)
    return processor


def test_each_span_has_parent_of_its_thread(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    starts: StartCounter,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"), times=64)
    tracer = telemetry.tracer_provider.get_tracer("app")

    def call_in_span(number: int) -> None:
        with tracer.start_as_current_span(f"app {number}"):
            list(client.chat.completions.create(**CHAT, stream=True))

    with (
        openai.OpenAI(base_url=deepseek.base_url, api_key="none") as client,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(call_in_span, range(64)))

    assert starts.count == len(telemetry.spans) == 128
    parents = {span.context.span_id: span for span in telemetry.spans}
    chats = [span for span in telemetry.spans if span.name.startswith("chat")]
    assert len({parents[span.parent.span_id].name for span in chats}) == 64


def test_cancelled_tasks_end_their_spans_with_error(
    instrument: Callable[..., None], telemetry: Telemetry, starts: StartCounter
) -> None:
    instrument("SPAN_ONLY")
    events = (SAMPLES / "stream_thinking.sse").read_bytes().partition(b"data: [DONE]")
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    head += b"connection: close\r\n\r\n"

    async def respond(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Any:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(head + events[0])
        if b"x-hang: yes" in request.lower():
            await reader.read()  # until the client disconnects
        writer.write(b"".join(events[1:]))
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            http = openai.DefaultAsyncHttpxClient(verify=False, timeout=120)
            async with openai.AsyncOpenAI(
                base_url=f"http://{host}:{port}", api_key="none", http_client=http
            ) as client:

                async def read_stream(hang: bool) -> int:
                    headers = {"x-hang": "yes" if hang else "no"}
                    stream = await client.chat.completions.create(
                        **CHAT, stream=True, extra_headers=headers
                    )
                    return len([chunk async for chunk in stream])

                tasks = [
                    asyncio.create_task(read_stream(i % 3 == 0)) for i in range(1000)
                ]
                finishing = [task for i, task in enumerate(tasks) if i % 3]
                assert len(set(await asyncio.gather(*finishing))) == 1
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())

    assert starts.count == len(telemetry.spans) == 1000
    assert Counter(span.attributes.get("error.type") for span in telemetry.spans) == {
        None: 666,
        "asyncio.exceptions.CancelledError": 334,
    }
    assert {span.parent for span in telemetry.spans} == {None}


def test_coroutine_closed_in_another_task_logs_no_context_error(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"), times=2)

    async def main() -> None:
        async with openai.AsyncOpenAI(
            base_url=deepseek.base_url, api_key="none"
        ) as client:
            coroutine = client.chat.completions.create(**CHAT, stream=True)
            # Started here and closed in another task, as the garbage collector may do.
            coroutine.send(None)
            await asyncio.create_task(close(coroutine))

    async def close(coroutine: Any) -> None:
        coroutine.close()

    asyncio.run(main())

    assert telemetry.span.attributes["error.type"] == "GeneratorExit"


PROGRAM = """
import openai, logging, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

logging.basicConfig(stream=sys.stdout, level=logging.WARNING)
memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])

def call(stream=True):
    client = openai.OpenAI(base_url=sys.argv[1], api_key="none")
    return client.chat.completions.create(model="deepseek-flash", stream=stream,
        messages=[{"role": "user", "content": "How many r's are in strawberry?"}])
"""


def run(program: str, deepseek: Simulator) -> str:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), deepseek.base_url],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_forked_child_and_parent_record_their_own_spans(deepseek: Simulator) -> None:
    program = (
        PROGRAM
        + """
import os
stream = call()
next(stream)
if child := os.fork():
    os.waitpid(child, 0)
    list(stream)
else:
    memory.clear()
    list(call())
names = [span.name for span in memory.get_finished_spans()]
print("parent" if child else "child", names, flush=True)
os._exit(0)
"""
    )
    assert run(program, deepseek) == (
        "child ['chat deepseek-flash']\nparent ['chat deepseek-flash']\n"
    )
