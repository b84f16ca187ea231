from __future__ import annotations

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from haystack.utils import Secret


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def ask(url: str, *, stream: bool = False, **options: object) -> str:
    generator = OpenAIChatGenerator(
        Secret.from_token("any"),
        "deepseek-flash",
        streaming_callback=(lambda _: None) if stream else None,
        api_base_url=url,
        generation_kwargs=options,
    )
    agent = Agent(
        chat_generator=generator, tools=[create_tool_from_function(get_weather)]
    )
    question = ChatMessage.from_user("How is the weather in Paris?")
    return agent.run([question])["last_message"].text


def chat(url: str) -> str:
    return ask(url)


def chat_without_thinking(url: str) -> str:
    return ask(url, extra_body={"thinking": {"type": "disabled"}})


def stream(url: str) -> str:
    return ask(url, stream=True)
