# ruff: noqa: T201  # programs as users write them
"""Services, each a function, with one request to each."""

import asyncio
import threading
import time

import mlflow
from agents import QUESTION, async_agent, run_tool_agent


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
