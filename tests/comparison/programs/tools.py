# ruff: noqa: T201  # written as users write programs
import json
import os

from openai import OpenAI

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "get_weather", "description": "Weather of a city", "parameters": CITY}


def get_weather(city: str) -> str:
    return json.dumps({"city": city, "temperature": 18})


client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
chat = [{"role": "user", "content": "How is the weather in Paris?"}]
for _ in range(2):
    message = (
        client.chat.completions.create(
            model="deepseek-flash",
            messages=chat,
            tools=[{"type": "function", "function": TOOL}],
        )
        .choices[0]
        .message
    )
    chat.append(message)
    for call in message.tool_calls or ():
        content = get_weather(**json.loads(call.function.arguments))
        chat.append({"role": "tool", "tool_call_id": call.id, "content": content})
print(message.content)
