from __future__ import annotations

from typing import Any

from crewai import LLM, Agent
from crewai.tools import tool


@tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def ask(url: str, **options: Any) -> str:
    # Sends strict tools, which DeepSeek accepts only under /beta.
    model = LLM(
        "deepseek/deepseek-flash",
        base_url=f"{url}/beta",
        api_key="any",
        **options,
    )
    agent = Agent(
        role="meteorologist",
        goal="tell the weather",
        backstory="knows clouds",
        llm=model,
        tools=[get_weather],
    )
    return agent.kickoff("How is the weather in Paris?").raw


def chat(url: str) -> str:
    return ask(url)


def stream(url: str) -> str:
    return ask(url, stream=True)


def chat_without_thinking(url: str) -> str:
    options = {"extra_body": {"thinking": {"type": "disabled"}}}
    return ask(url, **options) + ask(url, is_litellm=True, **options)
