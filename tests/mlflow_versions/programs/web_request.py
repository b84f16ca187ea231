"""One request to a FastAPI application with an agent, without a reference to MLflow."""

import asyncio
import json
import os
import threading
import time
import urllib.parse
import urllib.request

import uvicorn
from fastapi import FastAPI
from openai import AsyncOpenAI
from opentelemetry.util.genai.handler import TelemetryHandler

from opentelemetry import trace

QUESTION = "What's the weather like in Paris today?"
# Long enough for DeepSeek's cache, which has blocks of 64 tokens.
INSTRUCTIONS = "You are a weather agent. Ask the tool before you answer. " * 12
TOOL = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}

app = FastAPI()
client = AsyncOpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
genai = TelemetryHandler()


async def get_weather(city: str) -> str:
    await asyncio.sleep(0.01)
    return f"The weather in {city} is always sunny."


@app.post("/ask")
async def ask(question: str) -> str:
    trace.get_current_span().set_attributes(
        {"session.id": "session-1", "user.id": "ada"}
    )
    chat = [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": question},
    ]
    with genai.invoke_local_agent(agent_name="weather-agent"):
        while True:
            response = await client.chat.completions.create(
                model="deepseek-flash",
                messages=chat,
                tools=[{"type": "function", "function": TOOL}],
            )
            chat.append(response.choices[0].message)
            if not chat[-1].tool_calls:
                return chat[-1].content
            for call in chat[-1].tool_calls:
                with genai.tool(call.function.name, tool_type="function") as tool:
                    tool.tool_call_id, tool.arguments = call.id, call.function.arguments
                    tool.tool_result = await get_weather(**json.loads(tool.arguments))
                message = {"role": "tool", "tool_call_id": call.id}
                chat.append(message | {"content": tool.tool_result})


server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
query = urllib.parse.urlencode({"question": QUESTION})
request = urllib.request.Request(f"http://127.0.0.1:{port}/ask?{query}", method="POST")
with urllib.request.urlopen(request, timeout=60) as http_response:
    http_response.read()
server.should_exit = True
thread.join()
