from __future__ import annotations

import asyncio

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.deepseek import DeepSeekProvider


def agent(url: str) -> Agent:
    # Sends strict tools, which DeepSeek accepts only under /beta.
    client = AsyncOpenAI(base_url=f"{url}/beta", api_key="any")
    provider = DeepSeekProvider(openai_client=client)
    weather_agent = Agent(OpenAIChatModel("deepseek-flash", provider=provider))

    @weather_agent.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city"""
        return f"18 degrees in {city}"

    return weather_agent


def chat(url: str) -> str:
    return agent(url).run_sync("How is the weather in Paris?").output


def stream(url: str) -> str:
    async def run() -> str:
        async with agent(url).run_stream("Why is the sky blue?") as result:
            return await result.get_output()

    return asyncio.run(run())
