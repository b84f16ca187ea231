from __future__ import annotations

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def model(url: str, **options: object) -> ChatAnthropic:
    return ChatAnthropic(
        model="deepseek-flash",
        base_url=f"{url}/anthropic",
        api_key="any",
        max_tokens=1000,
        **options,
    )


def chat(url: str) -> str:
    agent = create_agent(model(url), [get_weather])
    result = agent.invoke({"messages": "How is the weather in Paris?"})
    return result["messages"][-1].text


def stream(url: str) -> str:
    chunks = model(url).stream("Why is the sky blue?")
    return "".join(chunk.text for chunk in chunks)
