from __future__ import annotations

import asyncio

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
)
from semantic_kernel.functions import KernelArguments, kernel_function


class Weather:
    @kernel_function
    def get_weather(self, city: str) -> str:
        """Weather of a city"""
        return f"18 degrees in {city}"


def agent(url: str) -> ChatCompletionAgent:
    client = AsyncOpenAI(base_url=url, api_key="any")
    service = OpenAIChatCompletion("deepseek-flash", async_client=client)
    return ChatCompletionAgent(service=service, name="weather", plugins=[Weather()])


def whole(url: str) -> str:
    asked = agent(url).get_response("How is the weather in Paris?")
    return str(asyncio.run(asked))


def unthinking(url: str) -> str:
    off = OpenAIChatPromptExecutionSettings(
        extra_body={"thinking": {"type": "disabled"}}
    )
    asked = agent(url).get_response(
        "How is the weather in Paris?", arguments=KernelArguments(settings=off)
    )
    return str(asyncio.run(asked))


def streamed(url: str) -> str:
    async def run() -> str:
        asked = agent(url).invoke_stream("How is the weather in Paris?")
        return "".join([str(part.content) async for part in asked])

    return asyncio.run(run())
