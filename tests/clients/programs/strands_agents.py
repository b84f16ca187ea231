from __future__ import annotations

from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def ask(url: str, **params: object) -> str:
    model = OpenAIModel(
        client_args={"base_url": url, "api_key": "any"},
        model_id="deepseek-flash",
        params=params,
    )
    agent = Agent(model, tools=[get_weather], callback_handler=None)
    return str(agent("How is the weather in Paris?"))


def stream(url: str) -> str:
    return ask(url)


def chat_without_thinking(url: str) -> str:
    return ask(url, extra_body={"thinking": {"type": "disabled"}})
