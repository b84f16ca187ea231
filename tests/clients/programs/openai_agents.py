from __future__ import annotations

import asyncio

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

set_tracing_disabled(disabled=True)  # the SDK sends its traces to OpenAI


@function_tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def agent(url: str) -> Agent:
    # Sends strict tools, which DeepSeek accepts only under /beta.
    client = AsyncOpenAI(base_url=f"{url}/beta", api_key="any")
    model = OpenAIChatCompletionsModel("deepseek-flash", client)
    return Agent("weather", model=model, tools=[get_weather])


def chat(url: str) -> str:
    return Runner.run_sync(agent(url), "How is the weather in Paris?").final_output


def stream(url: str) -> str:
    async def run() -> str:
        running = Runner.run_streamed(agent(url), "Why is the sky blue?")
        async for _ in running.stream_events():
            pass
        return running.final_output

    return asyncio.run(run())
