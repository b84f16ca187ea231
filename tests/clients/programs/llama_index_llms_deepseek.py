from __future__ import annotations

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.deepseek import DeepSeek


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def model(url: str) -> DeepSeek:
    return DeepSeek(
        model="deepseek-flash",
        api_base=url,
        api_key="any",
        is_function_calling_model=True,
    )


def chat(url: str) -> str:
    tool = FunctionTool.from_defaults(get_weather)
    question = "How is the weather in Paris?"
    return str(model(url).predict_and_call([tool], question))


def stream(url: str) -> str:
    question = ChatMessage(role="user", content="Why is the sky blue?")
    return "".join(part.delta or "" for part in model(url).stream_chat([question]))
