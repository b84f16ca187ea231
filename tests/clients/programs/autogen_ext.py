from __future__ import annotations

import asyncio
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient


async def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def ask(url: str, *, stream: bool = False, **options: Any) -> str:
    client = OpenAIChatCompletionClient(
        model="deepseek-flash",
        base_url=url,
        api_key="any",
        model_info={
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "structured_output": False,
            "family": "unknown",
        },
        **options,
    )
    agent = AssistantAgent(
        "weather",
        client,
        tools=[get_weather],
        model_client_stream=stream,
        reflect_on_tool_use=True,
    )
    result = asyncio.run(agent.run(task="How is the weather in Paris?"))
    return result.messages[-1].to_text()


def chat(url: str) -> str:
    return ask(url)


def chat_without_thinking(url: str) -> str:
    return ask(url, extra_body={"thinking": {"type": "disabled"}})


def stream(url: str) -> str:
    return ask(url, stream=True)
