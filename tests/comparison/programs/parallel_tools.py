# ruff: noqa: T201  # written as users write programs
import os

from openai import OpenAI

PLACE = {"type": "object", "properties": {"location": {"type": "string"}}}
TOOL = {"name": "get_weather", "description": "Weather of a place", "parameters": PLACE}

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
chunks = client.chat.completions.create(
    model="deepseek-flash",
    messages=[{"role": "user", "content": "The weather in Hangzhou and Beijing?"}],
    tools=[{"type": "function", "function": TOOL}],
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in chunks:
    for choice in chunk.choices:
        for call in choice.delta.tool_calls or ():
            print(call.function.name or call.function.arguments, end="")
