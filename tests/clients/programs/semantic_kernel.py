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


def chat(url: str) -> str:
    response = agent(url).get_response("How is the weather in Paris?")
    return str(asyncio.run(response))


def chat_without_thinking(url: str) -> str:
    settings = OpenAIChatPromptExecutionSettings(
        extra_body={"thinking": {"type": "disabled"}}
    )
    response = agent(url).get_response(
        "How is the weather in Paris?", arguments=KernelArguments(settings=settings)
    )
    return str(asyncio.run(response))


def stream(url: str) -> str:
    async def run() -> str:
        response = agent(url).invoke_stream("How is the weather in Paris?")
        return "".join([str(part.content) async for part in response])

    return asyncio.run(run())
