from __future__ import annotations

from langchain.agents import create_agent
from langchain_deepseek import ChatDeepSeek

THINKING_OFF = {"thinking": {"type": "disabled"}}


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def model(url: str, **more: object) -> ChatDeepSeek:
    return ChatDeepSeek(model="deepseek-flash", api_base=url, api_key="any", **more)


def ask(model: ChatDeepSeek) -> str:
    agent = create_agent(model, [get_weather])
    answer = agent.invoke({"messages": "How is the weather in Paris?"})
    return answer["messages"][-1].text


def whole(url: str) -> str:
    return ask(model(url))


def unthinking(url: str) -> str:
    return ask(model(url, extra_body=THINKING_OFF))


def streamed(url: str) -> str:
    chunks = model(url).stream("Why is the sky blue?")
    return "".join(chunk.text for chunk in chunks)
