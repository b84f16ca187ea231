# ruff: noqa: T201  # written as users write programs
"""The agent of MLflow's DeepSeek guide, with a session as in MLflow's docs."""

import json
import os

import mlflow
from mlflow.entities import SpanType
from openai import OpenAI

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "get_weather", "description": "Weather of a city", "parameters": CITY}
client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")


@mlflow.trace(span_type=SpanType.TOOL)
def get_weather(city: str) -> str:
    return f"sunny in {city}"


@mlflow.trace(span_type=SpanType.AGENT)
def run_tool_agent(question: str) -> str:
    mlflow.update_current_trace(metadata={"mlflow.trace.session": "session-9"})
    chat = [{"role": "user", "content": question}]
    for _ in range(2):
        response = client.chat.completions.create(
            model="deepseek-flash",
            messages=chat,
            tools=[{"type": "function", "function": TOOL}],
        )
        chat.append(response.choices[0].message)
        for call in chat[-1].tool_calls or ():
            weather = get_weather(**json.loads(call.function.arguments))
            chat.append({"role": "tool", "tool_call_id": call.id, "content": weather})
    return chat[-1].content


print(run_tool_agent("How is the weather in Paris?"))
