from __future__ import annotations

from langchain_core.tools import tool
from langchain_litellm import ChatLiteLLM


@tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def model(url: str) -> ChatLiteLLM:
    return ChatLiteLLM(model="deepseek/deepseek-flash", api_base=url, api_key="any")


def chat(url: str) -> str:
    return str(
        model(url).bind_tools([get_weather]).invoke("How is the weather in Paris?")
    )


def stream(url: str) -> str:
    return "".join(str(c.content) for c in model(url).stream("Why is the sky blue?"))
