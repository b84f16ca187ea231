# ruff: noqa: T201  # a program as users write them
"""The agent of MLflow's DeepSeek guide, as it stands there, and what people make of it.

https://mlflow.org/docs/latest/genai/tracing/integrations/listing/deepseek/

    python agents.py <the name of a function below that begins with `run_`>

Nothing here knows of our package.
"""

import asyncio
import contextvars
import json
import os
import sys
import threading
import time

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


_tool_functions = {"get_weather": get_weather}


def follow_up(messages, ai_msg):
    messages.append(ai_msg)
    for tool_call in ai_msg.tool_calls or ():
        tool = _tool_functions[tool_call.function.name]
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
    follow_up(messages, response.choices[0].message)
    response = client.chat.completions.create(model=MODEL, messages=messages)
    return response.choices[0].message.content


@mlflow.trace(span_type=SpanType.AGENT)
async def async_agent(question: str):
    messages = [{"role": "user", "content": question}]
    response = await async_client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    follow_up(messages, response.choices[0].message)
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
    follow_up(messages, response.choices[0].message)
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
    follow_up(messages, response.choices[0].message)
    response = await async_client.chat.completions.create(
        model=MODEL, messages=messages
    )
    yield response.choices[0].message.content


@mlflow.trace(span_type=SpanType.AGENT)
def streaming_agent(question: str):
    """Returns before the second answer was read."""
    messages = [{"role": "user", "content": question}]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    follow_up(messages, response.choices[0].message)
    return client.chat.completions.create(model=MODEL, messages=messages, stream=True)


@mlflow.trace(span_type=SpanType.AGENT)
def threaded_agent(question: str):
    """Each step in a thread of its own."""
    answers = []
    inside = contextvars.copy_context()

    def work():
        answers.append(run_steps(question))

    thread = threading.Thread(target=inside.run, args=(work,))
    thread.start()
    thread.join()
    return answers[0]


def run_steps(question):
    messages = [{"role": "user", "content": question}]
    response = client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools
    )
    follow_up(messages, response.choices[0].message)
    response = client.chat.completions.create(model=MODEL, messages=messages)
    return response.choices[0].message.content


@mlflow.trace(span_type=SpanType.TOOL)
def broken_weather(city: str) -> str:
    raise LookupError("no such station")


def run_plain():
    """The script of the guide: it ends right after its answer."""
    print(run_tool_agent(QUESTION))


def run_updated():
    @mlflow.trace(span_type=SpanType.AGENT)
    def agent(question):
        mlflow.update_current_trace(
            tags={"desk": "north"},
            metadata={"release": "7"},
            client_request_id="request-1",
            request_preview="the question",
            response_preview="the answer",
            state="ERROR",
            session_id="talk",
            user="ada",
        )
        return run_steps(question)

    agent(QUESTION)


def run_mlflow_first():
    """MLflow has closed its trace before our spans are sent."""
    run_plain()
    mlflow.flush_trace_async_logging()


def run_mlflow_last():
    """Ours are sent as soon as they end, MLflow's some seconds later."""
    run_plain()
    time.sleep(2)
    mlflow.flush_trace_async_logging()


def run_set_before():
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])
    run_plain()


def run_set_between():
    for _ in range(3):
        run_plain()
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
        mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])


def run_other_experiment():
    """As the guide has it: set in the code, and not what the environment says."""
    mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"] + " of the code")
    run_plain()
    mlflow.flush_trace_async_logging()


def run_async():
    print(asyncio.run(async_agent(QUESTION)))


def run_gathered():
    async def both():
        await asyncio.gather(async_agent(QUESTION), async_agent(QUESTION))

    asyncio.run(both())


def run_generator():
    print("".join(filter(None, generator_agent(QUESTION))))


def run_async_generator():
    async def read():
        return [piece async for piece in async_generator_agent(QUESTION)]

    print(asyncio.run(read()))


def run_stream_read_later():
    stream = streaming_agent(QUESTION)
    mlflow.flush_trace_async_logging()  # MLflow closes its trace
    time.sleep(1)
    print(sum(1 for _ in stream))


def run_threaded():
    print(threaded_agent(QUESTION))


def run_tool_first():
    @mlflow.trace(span_type=SpanType.AGENT)
    def agent(question):
        get_weather("Paris")
        return run_steps(question)

    agent(QUESTION)


def run_tool_that_raises():
    _tool_functions["get_weather"] = broken_weather
    try:
        run_tool_agent(QUESTION)
    except LookupError as error:
        print(error)


def run_twelve_calls():
    @mlflow.trace(span_type=SpanType.AGENT)
    def agent(question):
        for _ in range(6):
            run_steps(question)

    agent(QUESTION)


def run_disabled():
    mlflow.tracing.disable()
    run_plain()


def run_plain_in_request():
    from opentelemetry import trace

    with trace.get_tracer("web").start_as_current_span("POST /ask"):
        run_plain()


def run_disabled_in_request():
    mlflow.tracing.disable()
    run_plain_in_request()


def served(ask):
    """One request to a FastAPI application, which makes a server span by itself."""
    import urllib.request

    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    app.post("/ask")(ask)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/ask", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.read().decode())
    server.should_exit = True
    thread.join()


def run_served():
    async def ask() -> str:
        return await async_agent(QUESTION)

    served(ask)


def run_served_from_a_thread():
    def ask() -> str:  # FastAPI calls it in a thread
        return run_tool_agent(QUESTION)

    served(ask)


def run_served_twice():
    """One request to two agents, one after the other."""

    def ask() -> str:
        run_tool_agent(QUESTION)
        return run_tool_agent(QUESTION)

    served(ask)


def run_served_twice_over_time():
    """MLflow has sent the first agent's trace when the second begins."""

    def ask() -> str:
        run_tool_agent(QUESTION)
        mlflow.flush_trace_async_logging()
        time.sleep(1)
        return run_tool_agent(QUESTION)

    served(ask)


def run_served_gathered():
    """One request to two agents at the same time."""

    async def ask() -> str:
        answers = await asyncio.gather(async_agent(QUESTION), async_agent(QUESTION))
        return answers[0]

    served(ask)


def run_served_and_updated():
    """A request that says more of its trace, and answers with the trace's id."""

    @mlflow.trace
    def tagged(question: str) -> str:
        mlflow.update_current_trace(
            tags={"desk": "north"},
            metadata={"release": "7"},
            client_request_id="request-1",
            session_id="talk",
            user="ada",
        )
        return run_tool_agent(question)

    def ask() -> str:
        tagged(QUESTION)
        return mlflow.get_last_active_trace_id()

    served(ask)


def run_served_in_one_tree():
    """With MLflow's own way to continue a trace that came with a request."""
    from opentelemetry import propagate

    def ask() -> str:
        headers = {}
        propagate.inject(headers)
        with mlflow.tracing.set_tracing_context_from_http_request_headers(headers):
            return run_tool_agent(QUESTION)

    served(ask)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
