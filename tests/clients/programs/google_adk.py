from __future__ import annotations

import asyncio

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def ask(url: str, question: str, mode: StreamingMode) -> str:
    model = LiteLlm("deepseek/deepseek-flash", api_base=url, api_key="any")
    agent = Agent(name="helper", model=model, tools=[get_weather])

    async def run() -> str:
        runner = InMemoryRunner(agent, app_name="app")
        session = await runner.session_service.create_session(
            app_name="app", user_id="ada"
        )
        message = types.Content(role="user", parts=[types.Part(text=question)])
        texts = [
            str(event.content)
            async for event in runner.run_async(
                user_id="ada",
                session_id=session.id,
                new_message=message,
                run_config=RunConfig(streaming_mode=mode),
            )
        ]
        return texts[-1]

    return asyncio.run(run())


def chat(url: str) -> str:
    return ask(url, "How is the weather in Paris?", StreamingMode.NONE)


def stream(url: str) -> str:
    return ask(url, "Why is the sky blue?", StreamingMode.SSE)
