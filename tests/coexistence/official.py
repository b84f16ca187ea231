"""Calls beside OpenTelemetry's own instrumentation of the `openai` SDK.

Who imports this is skipped where that instrumentation is not.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest

from examples.simulator import Recorded
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from examples.simulator import Simulator

theirs = pytest.importorskip(
    "opentelemetry.instrumentation.genai.openai",
    reason="the official instrumentation is in an environment of its own: neighbours",
)

SAMPLES: Final = Path(__file__).parents[1] / "deepseek_samples"
OURS: Final = "opentelemetry.instrumentation.deepseek"
THEIRS: Final = "opentelemetry.instrumentation.genai.openai"
QUESTION: Final = [{"role": "user", "content": "How many r's are in strawberry?"}]
CHAT: Final = {"model": "deepseek-flash", "messages": QUESTION}
RESPONSE: Final = {"model": "deepseek-flash", "input": "How many r's?"}
# The instrumentors in the order of switching on, and of switching off.
ORDERS: Final = ["ours, theirs", "theirs, ours"]
# What is called, with what, and a body that answers it.
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


def instrumentor(whose: str) -> Any:
    return DeepSeekInstrumentor() if whose == "ours" else theirs.OpenAIInstrumentor()


def call(
    simulator: Simulator,
    name: str = "chat.completions.create",
    kind: str = "OpenAI",
    host: str = "127.0.0.1",
) -> None:
    """Make one call of CALLS, and read its answer to the end."""
    arguments, body = CALLS[name]
    simulator.answer_next(Recorded.read(SAMPLES / body))

    async def run() -> None:
        client = getattr(openai, kind)(
            base_url=simulator.base_url.replace("127.0.0.1", host),
            api_key="sk-test-1234",
            max_retries=0,
        )
        target: Any = client
        for part in name.partition(" ")[0].split("."):
            target = getattr(target, part)
        answer = target(**arguments)
        if inspect.isawaitable(answer):
            answer = await answer
        if kind == "AsyncOpenAI" and hasattr(answer, "__aenter__"):
            async with answer as stream:
                assert [event async for event in stream]
        elif kind == "OpenAI" and hasattr(answer, "__enter__"):
            with answer as stream:
                assert list(stream)
        if inspect.isawaitable(closed := client.close()):
            await closed

    asyncio.run(run())


def part_types(attributes: Any) -> list[str]:
    """Of the only message that was answered."""
    (message,) = json.loads(attributes["gen_ai.output.messages"])
    return [part["type"] for part in message["parts"]]
