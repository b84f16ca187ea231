from __future__ import annotations

from smolagents import ChatMessage, MessageRole, OpenAIModel, ToolCallingAgent, tool


@tool
def get_weather(city: str) -> str:
    """Weather of a city

    Args:
        city: its name
    """
    return f"18 degrees in {city}"


def model(url: str, **options: object) -> OpenAIModel:
    return OpenAIModel("deepseek-flash", api_base=url, api_key="any", **options)


def chat_without_thinking(url: str) -> str:
    # Forces a tool, which DeepSeek refuses with thinking.
    model_without_thinking = model(url, extra_body={"thinking": {"type": "disabled"}})
    agent = ToolCallingAgent(
        [get_weather], model_without_thinking, max_steps=2, verbosity_level=0
    )
    return str(agent.run("How is the weather in Paris?"))


def chat(url: str) -> str:
    question = ChatMessage(MessageRole.USER, "Why is the sky blue?")
    return str(model(url).generate([question]).content)


def stream(url: str) -> str:
    question = ChatMessage(MessageRole.USER, "Why is the sky blue?")
    parts = model(url).generate_stream([question])
    return "".join(part.content or "" for part in parts)
