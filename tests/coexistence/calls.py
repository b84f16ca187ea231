"""Calls of the SDK for the tests with opentelemetry-instrumentation-genai-openai.

Test modules that import this one are skipped if that package is not installed.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest

from examples.simulator import RecordedResponse
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from examples.simulator import Simulator

genai_openai = pytest.importorskip(
    "opentelemetry.instrumentation.genai.openai",
    reason="needs opentelemetry-instrumentation-genai-openai: run tox -e coexistence",
)

SAMPLES: Final = Path(__file__).parents[1] / "deepseek_samples"
DEEPSEEK_SCOPE: Final = "opentelemetry.instrumentation.deepseek"
OPENAI_SCOPE: Final = "opentelemetry.instrumentation.genai.openai"
QUESTION: Final = [{"role": "user", "content": "How many r's are in strawberry?"}]
CHAT: Final = {"model": "deepseek-flash", "messages": QUESTION}
RESPONSE: Final = {"model": "deepseek-flash", "input": "How many r's?"}
# Orders of instrumenting and of uninstrumenting.
ORDERS: Final = ["deepseek, openai", "openai, deepseek"]
# Maps each method to its arguments and to the sample of its response body.
CALLS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "chat.completions.create": (CHAT, "chat_thinking.json"),
    "chat.completions.create stream": (CHAT | {"stream": True}, "stream_thinking.sse"),
    "chat.completions.parse": (CHAT, "chat_thinking.json"),
    "chat.completions.stream": (CHAT, "stream_thinking.sse"),
    "chat.completions.with_raw_response.create": (CHAT, "chat_thinking.json"),
    "responses.create": (RESPONSE, "responses.json"),
    "responses.create stream": (RESPONSE | {"stream": True}, "responses_stream.sse"),
    "responses.parse": (RESPONSE, "responses.json"),
    "responses.stream": (RESPONSE, "responses_stream.sse"),
}


def instrumentor(name: str) -> Any:
    if name == "deepseek":
        return DeepSeekInstrumentor()
    return genai_openai.OpenAIInstrumentor()


def call(
    simulator: Simulator,
    name: str = "chat.completions.create",
    kind: str = "OpenAI",
    host: str = "127.0.0.1",
) -> None:
    """Makes one call of CALLS and consumes its response."""
    arguments, body = CALLS[name]
    simulator.answer_next(RecordedResponse.from_file(SAMPLES / body))

    async def run() -> None:
        client = getattr(openai, kind)(
            base_url=simulator.base_url.replace("127.0.0.1", host),
            api_key="sk-test-1234",
            max_retries=0,
        )
        target: Any = client
        for part in name.partition(" ")[0].split("."):
            target = getattr(target, part)
        response = target(**arguments)
        if inspect.isawaitable(response):
            response = await response
        if kind == "AsyncOpenAI" and hasattr(response, "__aenter__"):
            async with response as stream:
                assert [event async for event in stream]
        elif kind == "OpenAI" and hasattr(response, "__enter__"):
            with response as stream:
                assert list(stream)
        if inspect.isawaitable(closing := client.close()):
            await closing

    asyncio.run(run())


def part_types(attributes: Any) -> list[str]:
    """Returns the types of the parts of the only output message."""
    (message,) = json.loads(attributes["gen_ai.output.messages"])
    return [part["type"] for part in message["parts"]]
