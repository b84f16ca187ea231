from __future__ import annotations

import asyncio

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.deepseek import DeepSeekProvider


def agent(url: str) -> Agent:
    # Its tools are strict, which DeepSeek knows under /beta.
    client = AsyncOpenAI(base_url=f"{url}/beta", api_key="any")
    provider = DeepSeekProvider(openai_client=client)
    made = Agent(OpenAIChatModel("deepseek-flash", provider=provider))

    @made.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city"""
        return f"18 degrees in {city}"

    return made


def whole(url: str) -> str:
    return agent(url).run_sync("How is the weather in Paris?").output


def streamed(url: str) -> str:
    async def run() -> str:
        async with agent(url).run_stream("Why is the sky blue?") as answer:
            return await answer.get_output()

    return asyncio.run(run())
