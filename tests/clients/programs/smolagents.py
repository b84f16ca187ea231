from __future__ import annotations

from smolagents import ChatMessage, MessageRole, OpenAIModel, ToolCallingAgent, tool


@tool
def get_weather(city: str) -> str:
    """Weather of a city

    Args:
        city: its name
    """
    return f"18 degrees in {city}"


def model(url: str, **more: object) -> OpenAIModel:
    return OpenAIModel("deepseek-flash", api_base=url, api_key="any", **more)


def unthinking(url: str) -> str:
    # It forces a tool, which DeepSeek refuses while it thinks.
    off = model(url, extra_body={"thinking": {"type": "disabled"}})
    agent = ToolCallingAgent([get_weather], off, max_steps=2, verbosity_level=0)
    return str(agent.run("How is the weather in Paris?"))


def whole(url: str) -> str:
    question = ChatMessage(MessageRole.USER, "Why is the sky blue?")
    return str(model(url).generate([question]).content)


def streamed(url: str) -> str:
    question = ChatMessage(MessageRole.USER, "Why is the sky blue?")
    parts = model(url).generate_stream([question])
    return "".join(part.content or "" for part in parts)
