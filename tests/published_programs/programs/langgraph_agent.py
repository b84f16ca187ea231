# ruff: noqa: T201  # written as users write programs
"""A LangGraph agent that remembers a thread, and one with a structured answer.

https://mlflow.org/docs/latest/genai/tracing/integrations/listing/langgraph
https://docs.langchain.com/oss/python/langgraph/persistence
https://docs.langchain.com/oss/python/langchain/structured-output
"""

from __future__ import annotations

import os

import mlflow
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_deepseek import ChatDeepSeek
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, Field

mlflow.langchain.autolog()

model = ChatDeepSeek(
    model="deepseek-flash",
    api_base=os.environ["DEEPSEEK_BASE_URL"],
    # In thinking mode DeepSeek refuses the turn after a tool call, because LangChain
    # does not send the reasoning back.
    extra_body={"thinking": {"type": "disabled"}},
)


class Weather(BaseModel):
    """The weather of a city."""

    city: str = Field(description="The name of the city")


def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"18 degrees in {city}"


agent = create_agent(model, tools=[get_weather], checkpointer=InMemorySaver())
config = {"configurable": {"thread_id": "thread-1"}}
for question in ("How is the weather in Paris?", "Why is the sky blue?"):
    result = agent.invoke({"messages": [{"role": "user", "content": question}]}, config)
    print(len(result["messages"]), result["messages"][-1].text)

structured_agent = create_agent(model, response_format=ToolStrategy(Weather))
result = structured_agent.invoke(
    {"messages": [{"role": "user", "content": "How is the weather in Rome?"}]}
)
print(repr(result["structured_response"]))
