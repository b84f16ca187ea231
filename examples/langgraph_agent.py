"""A LangGraph agent with a tool, and DeepSeek's calls in the same trace.

`opentelemetry-instrument python examples/langgraph_agent.py`; needs
`pip install langchain langchain-deepseek langgraph mlflow`.
"""

import os

import mlflow
from langchain.agents import create_agent
from langchain_deepseek import ChatDeepSeek


@mlflow.trace(span_type="TOOL")
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"18 degrees and sunny in {city}"


model = ChatDeepSeek(
    model="deepseek-flash",
    api_base=os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com"),
    # LangChain does not send the reasoning back, which DeepSeek requires after a tool
    # call.
    extra_body={"thinking": {"type": "disabled"}},
)
agent = create_agent(model, tools=[get_weather])


@mlflow.trace(span_type="AGENT")
def answer(question: str) -> str:
    state = agent.invoke({"messages": [{"role": "user", "content": question}]})
    return str(state["messages"][-1].content)


print(answer("How is the weather in Paris?"))
