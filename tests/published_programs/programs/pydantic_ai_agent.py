# ruff: noqa: T201  # written as users write programs
"""pydantic-ai with its own OpenTelemetry spans: a tool, then a streamed answer.

https://ai.pydantic.dev/agents/#running-agents
https://ai.pydantic.dev/logfire/#using-opentelemetry
"""

from __future__ import annotations

import asyncio
import os

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.deepseek import DeepSeekProvider

Agent.instrument_all()


def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"18 degrees in {city}"


def weather_agent() -> Agent:
    """Returns an agent for one event loop, to which its client belongs."""
    client = AsyncOpenAI(
        api_key=os.environ["DEEPSEEK_API_KEY"],
        # pydantic-ai sends strict tools, which DeepSeek accepts under /beta.
        base_url=f"{os.environ['DEEPSEEK_BASE_URL']}/beta",
    )
    model = OpenAIChatModel(
        "deepseek-flash", provider=DeepSeekProvider(openai_client=client)
    )
    return Agent(
        model,
        name="weather_agent",
        instructions="Be concise, reply with one sentence.",
        tools=[get_weather],
    )


result = weather_agent().run_sync("How is the weather in Paris?")
print(result.output)


async def main() -> None:
    async with weather_agent().run_stream("Why is the sky blue?") as response:
        async for text in response.stream_text(delta=True):
            print(text, end="", flush=True)
    print()


asyncio.run(main())
