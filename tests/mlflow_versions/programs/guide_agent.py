"""The agent of MLflow's DeepSeek guide, with a session, a user and a system prompt.

https://mlflow.org/docs/latest/genai/tracing/integrations/listing/deepseek/
"""

import json
import os

import mlflow
from mlflow.entities import SpanType
from openai import OpenAI

QUESTION = "What's the weather like in Paris today?"
# Long enough for DeepSeek's cache, which has blocks of 64 tokens.
INSTRUCTIONS = "You are a weather agent. Ask the tool before you answer. " * 12
MODEL = "deepseek-flash"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")


@mlflow.trace(span_type=SpanType.TOOL)
def get_weather(city: str) -> str:
    return f"The weather in {city} is always sunny."


@mlflow.trace(span_type=SpanType.AGENT)
def run_tool_agent(question: str) -> str:
    mlflow.update_current_trace(
        metadata={"mlflow.trace.session": "session-1", "mlflow.trace.user": "ada"}
    )
    messages = [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": question},
    ]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=TOOLS
    )
    messages.append(response.choices[0].message)
    for call in response.choices[0].message.tool_calls:
        result = get_weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    response = client.chat.completions.create(model=MODEL, messages=messages)
    return response.choices[0].message.content


run_tool_agent(QUESTION)
