# ruff: noqa: T201  # written as users write programs
"""A hand-off between two agents of the OpenAI Agents SDK.

https://openai.github.io/openai-agents-python/handoffs/
https://openai.github.io/openai-agents-python/models/
"""

from __future__ import annotations

import asyncio
import os

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    handoff,
    set_tracing_disabled,
)
from agents.extensions import handoff_filters
from openai import AsyncOpenAI

# The SDK sends its traces to OpenAI.
set_tracing_disabled(disabled=True)

# The SDK sends strict tools, which DeepSeek accepts under /beta.
client = AsyncOpenAI(
    api_key=os.environ["DEEPSEEK_API_KEY"],
    base_url=f"{os.environ['DEEPSEEK_BASE_URL']}/beta",
)
model = OpenAIChatCompletionsModel(model="deepseek-flash", openai_client=client)


@function_tool
def get_refund(order: int) -> str:
    """Returns the state of the refund of an order."""
    return f"The refund of order {order} was paid on Monday."


refund_agent = Agent(
    name="Refund agent",
    instructions="You answer questions about refunds.",
    handoff_description="Answers questions about the refund of an order",
    tools=[get_refund],
    model=model,
)
triage_agent = Agent(
    name="Triage agent",
    instructions="Hand the question over to the right agent.",
    handoffs=[handoff(refund_agent, input_filter=handoff_filters.remove_all_tools)],
    model=model,
)


async def main() -> None:
    result = await Runner.run(triage_agent, "What is the refund of order 1234?")
    print(f"{result.last_agent.name}: {result.final_output}")


asyncio.run(main())
