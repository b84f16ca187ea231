"""The agent of MLflow's DeepSeek guide, unchanged, and variants of it.

https://mlflow.org/docs/latest/genai/tracing/integrations/listing/deepseek/
"""

import contextvars
import json
import os
import threading

import mlflow
from mlflow.entities import SpanType
from openai import AsyncOpenAI, OpenAI

URL = os.environ["DEEPSEEK_BASE_URL"]
client = OpenAI(base_url=URL, api_key="sk-guide")
async_client = AsyncOpenAI(base_url=URL, api_key="sk-guide")
MODEL = "deepseek-v4-flash"
QUESTION = "What's the weather like in Paris today?"

tools = [
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


@mlflow.trace(span_type=SpanType.TOOL)
def get_weather(city: str) -> str:
    return f"The weather in {city} is always sunny."


tool_functions = {"get_weather": get_weather}


def run_tools(messages, ai_msg):
    messages.append(ai_msg)
    for tool_call in ai_msg.tool_calls or ():
        tool = tool_functions[tool_call.function.name]
        result = tool(**json.loads(tool_call.function.arguments))
        messages.append(
            {"role": "tool", "tool_call_id": tool_call.id, "content": result}
        )


@mlflow.trace(span_type=SpanType.AGENT)
def run_tool_agent(question: str):
    messages = [{"role": "user", "content": question}]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    run_tools(messages, response.choices[0].message)
    response = client.chat.completions.create(model=MODEL, messages=messages)
    return response.choices[0].message.content


@mlflow.trace(span_type=SpanType.AGENT)
async def async_agent(question: str):
    messages = [{"role": "user", "content": question}]
    response = await async_client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    run_tools(messages, response.choices[0].message)
    response = await async_client.chat.completions.create(
        model=MODEL, messages=messages
    )
    return response.choices[0].message.content


@mlflow.trace(span_type=SpanType.AGENT)
def generator_agent(question: str):
    messages = [{"role": "user", "content": question}]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    yield "looking …"
    run_tools(messages, response.choices[0].message)
    for chunk in client.chat.completions.create(
        model=MODEL, messages=messages, stream=True
    ):
        if chunk.choices:
            yield chunk.choices[0].delta.content


@mlflow.trace(span_type=SpanType.AGENT)
async def async_generator_agent(question: str):
    messages = [{"role": "user", "content": question}]
    response = await async_client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    yield "looking …"
    run_tools(messages, response.choices[0].message)
    response = await async_client.chat.completions.create(
        model=MODEL, messages=messages
    )
    yield response.choices[0].message.content


@mlflow.trace(span_type=SpanType.AGENT)
def streaming_agent(question: str):
    """Returns before the second response is read."""
    messages = [{"role": "user", "content": question}]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    run_tools(messages, response.choices[0].message)
    return client.chat.completions.create(model=MODEL, messages=messages, stream=True)


@mlflow.trace(span_type=SpanType.AGENT)
def threaded_agent(question: str):
    """Runs its steps in another thread."""
    answers = []
    context = contextvars.copy_context()

    def work():
        answers.append(run_steps(question))

    thread = threading.Thread(target=context.run, args=(work,))
    thread.start()
    thread.join()
    return answers[0]


def run_steps(question):
    messages = [{"role": "user", "content": question}]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    run_tools(messages, response.choices[0].message)
    response = client.chat.completions.create(model=MODEL, messages=messages)
    return response.choices[0].message.content


@mlflow.trace(span_type=SpanType.TOOL)
def broken_weather(city: str) -> str:
    raise LookupError("no such station")
