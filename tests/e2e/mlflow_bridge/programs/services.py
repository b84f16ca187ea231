# ruff: noqa: T201  # written as users write programs
"""Services, one per function, each with one request to it."""

import asyncio
import threading
import time

import mlflow
from agents import QUESTION, async_agent, run_tool_agent


def serve_one_request(ask):
    """Sends one request to a FastAPI application, which creates a server span."""
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
    with urllib.request.urlopen(request, timeout=30) as response:
        print(response.read().decode())
    server.should_exit = True
    thread.join()


def run_served():
    async def ask() -> str:
        return await async_agent(QUESTION)

    serve_one_request(ask)


def run_served_from_thread():
    def ask() -> str:  # FastAPI runs sync functions in a thread
        return run_tool_agent(QUESTION)

    serve_one_request(ask)


def run_served_twice():
    """One request runs two agents, one after the other."""

    def ask() -> str:
        run_tool_agent(QUESTION)
        return run_tool_agent(QUESTION)

    serve_one_request(ask)


def run_served_twice_with_flush():
    """MLflow sends the trace of the first agent before the second starts."""

    def ask() -> str:
        run_tool_agent(QUESTION)
        mlflow.flush_trace_async_logging()
        time.sleep(1)
        return run_tool_agent(QUESTION)

    serve_one_request(ask)


def run_served_concurrently():
    """One request runs two agents at the same time."""

    async def ask() -> str:
        answers = await asyncio.gather(async_agent(QUESTION), async_agent(QUESTION))
        return answers[0]

    serve_one_request(ask)


def run_served_with_update():
    """A request updates its trace and responds with the trace id."""
    # The arguments `session_id` and `user` of newer versions set the same.
    metadata = {
        "release": "7",
        "mlflow.trace.session": "talk",
        "mlflow.trace.user": "ada",
    }

    @mlflow.trace
    def tagged(question: str) -> str:
        mlflow.update_current_trace(
            tags={"desk": "north"},
            metadata=metadata,
            client_request_id="request-1",
        )
        return run_tool_agent(question)

    def ask() -> str:
        tagged(QUESTION)
        return mlflow.get_last_active_trace_id()

    serve_one_request(ask)


def run_served_with_context_from_headers():
    """A request continues its trace with MLflow's own function."""
    from opentelemetry import propagate

    def ask() -> str:
        headers = {}
        propagate.inject(headers)
        with mlflow.tracing.set_tracing_context_from_http_request_headers(headers):
            return run_tool_agent(QUESTION)

    serve_one_request(ask)
