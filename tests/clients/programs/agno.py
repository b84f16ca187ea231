from __future__ import annotations

from agno.agent import Agent
from agno.models.deepseek import DeepSeek


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def agent(url: str) -> Agent:
    model = DeepSeek("deepseek-flash", base_url=url, api_key="any")
    return Agent(model=model, tools=[get_weather], telemetry=False)


def chat(url: str) -> str:
    return agent(url).run("How is the weather in Paris?").content


def stream(url: str) -> str:
    events = agent(url).run("How is the weather in Paris?", stream=True)
    return "".join(str(getattr(event, "content", "") or "") for event in events)
