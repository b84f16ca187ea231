# ruff: noqa: T201  # written as users write programs
"""DeepSeek's sample of function calling.

https://api-docs.deepseek.com/guides/function_calling
"""

from __future__ import annotations

import os

from openai import OpenAI


def send_messages(messages):
    response = client.chat.completions.create(
        model="deepseek-v4-pro", messages=messages, tools=tools
    )
    return response.choices[0].message


client = OpenAI(
    api_key=os.environ["DEEPSEEK_API_KEY"], base_url=os.environ["DEEPSEEK_BASE_URL"]
)

tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get weather of a location, the user should supply a"
            " location first.",
            "parameters": {
                "type": "object",
                "properties": {
                    "location": {
                        "type": "string",
                        "description": "The city and state, e.g. San Francisco, CA",
                    }
                },
                "required": ["location"],
            },
        },
    },
]

messages = [{"role": "user", "content": "How's the weather in Hangzhou?"}]
message = send_messages(messages)
print(f"User>\t {messages[0]['content']}")

tool = message.tool_calls[0]
messages.append(message)

messages.append({"role": "tool", "tool_call_id": tool.id, "content": "24℃"})
message = send_messages(messages)
print(f"Model>\t {message.content}")
