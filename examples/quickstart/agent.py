"""A weather agent on the openai SDK, without any configuration of telemetry."""

import asyncio
import json
import os
from typing import Any

from openai import AsyncOpenAI, OpenAI
from opentelemetry.util.genai.handler import TelemetryHandler

from opentelemetry import trace

URL = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
KEY = os.environ["DEEPSEEK_API_KEY"]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "get_weather", "description": "Weather of a city", "parameters": CITY}
WEATHER = {"Paris": (18, "light rain"), "Tokyo": (24, "sunshine")}


def get_weather(city: str) -> str:
    temperature, sky = WEATHER.get(city, (20, "clouds"))
    return json.dumps({"city": city, "temperature": temperature, "sky": sky})


def run_tool(call: Any) -> dict[str, Any]:
    with TelemetryHandler().tool(call.function.name, tool_type="function") as tool:
        tool.tool_call_id, tool.arguments = call.id, call.function.arguments
        tool.tool_result = get_weather(**json.loads(call.function.arguments))
    return {"role": "tool", "tool_call_id": call.id, "content": tool.tool_result}


def ask(client: Any, chat: list[Any], **options: Any) -> Any:
    tools = [{"type": "function", "function": TOOL}]
    create = client.chat.completions.create
    return create(model="deepseek-flash", messages=chat, tools=tools, **options)


async def main() -> None:
    question = "How is the weather in Paris and Tokyo?"
    chat: list[Any] = [{"role": "user", "content": question}]
    message = ask(OpenAI(base_url=URL, api_key=KEY), chat).choices[0].message
    chat += [message, *map(run_tool, message.tool_calls or [])]
    answer = ""
    async for chunk in await ask(
        AsyncOpenAI(base_url=URL, api_key=KEY), chat, stream=True
    ):
        answer += chunk.choices[0].delta.content or ""
    print(answer)


attributes = {"session.id": os.urandom(8).hex(), "user.id": "ada"}
with trace.get_tracer("agent").start_as_current_span(
    "weather talk", attributes=attributes
):
    asyncio.run(main())
