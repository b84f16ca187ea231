"""Lets DeepSeek call a tool, which `@mlflow.trace` records in the same trace.

`opentelemetry-instrument python examples/tools.py`; needs `pip install mlflow`.
"""

import json
import os
from typing import Any

import mlflow
from openai import OpenAI

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])


@mlflow.trace(span_type="TOOL")
def get_weather(city: str) -> str:
    return f"18 degrees and sunny in {city}"


@mlflow.trace(span_type="AGENT")
def answer(question: str) -> str:
    chat: list[Any] = [{"role": "user", "content": question}]
    while True:
        response = deepseek.chat.completions.create(
            model="deepseek-flash", messages=chat, tools=[WEATHER]
        )
        message: Any = response.choices[0].message
        chat.append(message)
        if not message.tool_calls:
            return str(message.content)
        for call in message.tool_calls:
            result = get_weather(**json.loads(call.function.arguments))
            chat.append({"role": "tool", "tool_call_id": call.id, "content": result})


print(answer("How is the weather in Paris?"))
