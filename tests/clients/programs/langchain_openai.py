from __future__ import annotations

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

THINKING_OFF = {"thinking": {"type": "disabled"}}


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def model(url: str, **options: object) -> ChatOpenAI:
    return ChatOpenAI(model="deepseek-flash", base_url=url, api_key="any", **options)


def ask(model: ChatOpenAI) -> str:
    agent = create_agent(model, [get_weather])
    result = agent.invoke({"messages": "How is the weather in Paris?"})
    return result["messages"][-1].text


def chat(url: str) -> str:
    return ask(model(url))


def chat_without_thinking(url: str) -> str:
    return ask(model(url, extra_body=THINKING_OFF))


def stream(url: str) -> str:
    chunks = model(url).stream("Why is the sky blue?")
    return "".join(chunk.text for chunk in chunks)
