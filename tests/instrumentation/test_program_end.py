"""Programs that end while a stream is open: its span is exported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from opentelemetry.instrumentation.deepseek._open_streams import OpenStreams

from .conftest import sample

if TYPE_CHECKING:
    from examples.simulator import Simulator

PREAMBLE = """
import openai

create_arguments = dict(
    model="deepseek-flash", messages=[{"role": "user", "content": "Hi"}], stream=True
)
client = openai.OpenAI()
"""
# Each program leaves a stream open after two chunks.
PROGRAMS = {
    "unhandled exception in a loop": """
        chunks = client.chat.completions.create(**create_arguments)
        for number, chunk in enumerate(chunks):
            if number == 1:
                raise LookupError
    """,
    "stream in a global variable": """
        stream = client.chat.completions.create(**create_arguments)
        for number, chunk in enumerate(stream):
            if number == 1:
                break
    """,
    "generator in a global variable": """
        def texts():
            for chunk in client.chat.completions.create(**create_arguments):
                yield chunk.choices[0].delta.content

        pieces = texts()
        next(pieces), next(pieces)
    """,
    "asynchronous stream in a global variable": """
        import asyncio

        async def main():
            global stream
            stream = await openai.AsyncOpenAI().chat.completions.create(
                **create_arguments
            )
            await anext(stream), await anext(stream)

        asyncio.run(main())
    """,
    "lines of a raw response": """
        manager = client.chat.completions.with_streaming_response.create(
            **create_arguments
        )
        lines = manager.__enter__().iter_lines()
        [next(lines) for _ in range(4)]
    """,
    "exit within a loop": """
        import sys

        stream = client.chat.completions.create(**create_arguments)
        for number, chunk in enumerate(stream):
            if number == 1:
                sys.exit(3)
    """,
    "child process": """
        import os

        stream = client.chat.completions.create(**create_arguments)
        next(stream), next(stream)
        if (child := os.fork()) == 0:
            raise SystemExit  # the span belongs to the parent
        os.waitpid(child, 0)
    """,
    "provider that is set after instrument()": """
        from opentelemetry import trace
        from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import (
            BatchSpanProcessor,
            ConsoleSpanExporter,
        )

        DeepSeekInstrumentor().instrument()
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
        trace.set_tracer_provider(provider)
        stream = client.chat.completions.create(**create_arguments)
        next(stream), next(stream)
    """,
}


def exported_spans(stdout: str) -> list[Any]:
    """Returns the spans that ConsoleSpanExporter printed."""
    decoder = json.JSONDecoder()
    spans: list[Any] = []
    while stdout := stdout.lstrip():
        span, length = decoder.raw_decode(stdout)
        spans.append(span)
        stdout = stdout[length:]
    return spans


@pytest.mark.parametrize("name", PROGRAMS)
def test_open_stream_has_one_span_with_the_chunks_that_were_read(
    deepseek: Simulator, name: str
) -> None:
    deepseek.answer_next(sample("stream_plain.sse", pause=0.02))
    command = [sys.executable, "-c", PREAMBLE + textwrap.dedent(PROGRAMS[name])]
    if "instrument()" not in PROGRAMS[name]:
        command.insert(0, f"{sysconfig.get_path('scripts')}/opentelemetry-instrument")
    process = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ
        | {
            "OPENAI_API_KEY": "sk-test-1234",
            "OPENAI_BASE_URL": deepseek.base_url,
            "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": "127.0.0.1",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx,mlflow,openai,urllib3",
            "OTEL_TRACES_EXPORTER": "console",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        },
    )
    (span,) = exported_spans(process.stdout)
    assert span["name"] == "chat deepseek-flash"
    assert span["status"] == {"status_code": "UNSET"}
    (message,) = json.loads(span["attributes"]["gen_ai.output.messages"])
    assert message["parts"][0]["content"]
    assert message["finish_reason"] == "error"
    assert "opentelemetry" not in process.stderr


def test_a_forked_child_ends_no_stream_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Invocation:
        end_count = 0

        def on_stream_dropped(self) -> None:
            self.end_count += 1

    invocation: Any = Invocation()
    streams = OpenStreams()
    streams.add(invocation)
    with monkeypatch.context() as context:
        context.setattr(os, "getpid", lambda: -1)
        streams._end_spans()
    assert invocation.end_count == 0
    streams._end_spans()
    assert invocation.end_count == 1
