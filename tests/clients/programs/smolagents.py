from __future__ import annotations

from typing import Any

from smolagents import (
    ChatMessage,
    LiteLLMModel,
    MessageRole,
    OpenAIModel,
    ToolCallingAgent,
    tool,
)


@tool
def get_weather(city: str) -> str:
    """Weather of a city

    Args:
        city: its name
    """
    return f"18 degrees in {city}"


def models(url: str, **options: Any) -> list[Any]:
    options |= {"api_base": url, "api_key": "any"}
    return [
        OpenAIModel("deepseek-flash", **options),
        LiteLLMModel("deepseek/deepseek-flash", **options),
    ]


def chat_without_thinking(url: str) -> str:
    # Forces a tool, which DeepSeek refuses with thinking.
    options = {"extra_body": {"thinking": {"type": "disabled"}}}
    agents = [
        ToolCallingAgent([get_weather], model, max_steps=2, verbosity_level=0)
        for model in models(url, **options)
    ]
    return "".join(str(agent.run("How is the weather in Paris?")) for agent in agents)


def chat(url: str) -> str:
    question = ChatMessage(MessageRole.USER, "Why is the sky blue?")
    return "".join(str(model.generate([question]).content) for model in models(url))


def stream(url: str) -> str:
    question = ChatMessage(MessageRole.USER, "Why is the sky blue?")
    parts = [
        part for model in models(url) for part in model.generate_stream([question])
    ]
    return "".join(part.content or "" for part in parts)
