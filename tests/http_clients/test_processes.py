"""Whole programs with an HTTP client."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from .conftest import PATHS

if TYPE_CHECKING:
    from examples.simulator import Simulator

PREAMBLE = """
import sys
from opentelemetry import trace
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

def formatted(span):
    return f"{span.name} {span.status.status_code.name}\\n"

provider = TracerProvider()
exporter = ConsoleSpanExporter(formatter=formatted)
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)
DeepSeekInstrumentor().instrument(hosts=["127.0.0.1"])
BODY = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
}
HEADERS = {"authorization": "Bearer sk-http-1234"}
"""


def run(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(program), *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize("module", ["httpx", "httpx2", "requests", "aiohttp"])
def test_program_that_calls_another_host_does_not_import_the_genai_library(
    module: str, deepseek: Simulator
) -> None:
    assert run(
        f"""
        import asyncio
        import {module} as client

        url = sys.argv[1]

        async def main():
            async with client.ClientSession() as session:
                await session.post(url, json=BODY)

        if client.__name__ == "aiohttp":
            asyncio.run(main())
        else:
            client.post(url, json=BODY)
        print([name for name in sys.modules if "opentelemetry.util.genai" in name])
        """,
        deepseek.base_url.replace("127.0.0.1", "localhost") + PATHS["chat"],
    ) == ("[]\n")


@pytest.mark.parametrize(
    "program",
    [
        """
        import requests

        response = requests.post(sys.argv[1], json=BODY, headers=HEADERS, stream=True)
        lines = response.iter_lines()
        next(line for line in lines if line.startswith(b"data:"))
        """,
        """
        import httpx

        client = httpx.Client()
        request = client.build_request("POST", sys.argv[1], json=BODY, headers=HEADERS)
        response = client.send(request, stream=True)
        lines = response.iter_lines()
        next(line for line in lines if line.startswith("data:"))
        """,
        """
        import aiohttp, asyncio

        async def main():
            global session, response
            session = aiohttp.ClientSession()
            response = await session.post(sys.argv[1], json=BODY, headers=HEADERS)
            while not (await response.content.readline()).startswith(b"data:"):
                pass

        asyncio.run(main())
        """,
    ],
)
def test_stream_that_is_open_at_the_end_of_the_process_has_a_span(
    program: str, deepseek: Simulator
) -> None:
    output = run(program, deepseek.base_url + PATHS["chat"])

    assert output == "chat deepseek-flash UNSET\n"
