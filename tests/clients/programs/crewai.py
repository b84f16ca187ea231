from __future__ import annotations

from typing import Any

from crewai import LLM, Agent
from crewai.tools import tool


@tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def ask(url: str, **more: Any) -> str:
    # Its tools are strict, which DeepSeek knows under /beta.
    model = LLM(
        "deepseek/deepseek-flash",
        base_url=f"{url}/beta",
        api_key="any",
        **more,
    )
    agent = Agent(
        role="meteorologist",
        goal="tell the weather",
        backstory="knows clouds",
        llm=model,
        tools=[get_weather],
    )
    return agent.kickoff("How is the weather in Paris?").raw


def whole(url: str) -> str:
    return ask(url)


def streamed(url: str) -> str:
    return ask(url, stream=True)


def unthinking(url: str) -> str:
    return ask(url, extra_body={"thinking": {"type": "disabled"}})
