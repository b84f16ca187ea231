# ruff: noqa: T201  # written as users write programs
"""Scripts, one per function."""

import asyncio
import os
import time

import mlflow
from agents import (
    QUESTION,
    async_agent,
    async_generator_agent,
    broken_weather,
    generator_agent,
    get_weather,
    run_steps,
    run_tool_agent,
    streaming_agent,
    threaded_agent,
    tool_functions,
)
from mlflow.entities import SpanType


def run_plain():
    """The script of the guide, which exits right after the answer."""
    print(run_tool_agent(QUESTION))


def run_update_current_trace():
    # The arguments `session_id` and `user` of newer versions set the same.
    metadata = {
        "release": "7",
        "mlflow.trace.session": "talk",
        "mlflow.trace.user": "ada",
    }

    @mlflow.trace(span_type=SpanType.AGENT)
    def agent(question):
        mlflow.update_current_trace(
            tags={"desk": "north"},
            metadata=metadata,
            client_request_id="request-1",
            request_preview="the question",
            response_preview="the answer",
            state="ERROR",
        )
        return run_steps(question)

    agent(QUESTION)


def run_flush_mlflow_first():
    """MLflow sends its trace before this package exports its spans."""
    run_plain()
    mlflow.flush_trace_async_logging()


def run_flush_mlflow_last():
    """MLflow sends its trace seconds after this package has exported its spans."""
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
    """Sets the experiment in the code, as the guide does, unlike the environment."""
    mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"] + " of the code")
    run_plain()
    mlflow.flush_trace_async_logging()


def run_async():
    print(asyncio.run(async_agent(QUESTION)))


def run_concurrent():
    async def both():
        await asyncio.gather(async_agent(QUESTION), async_agent(QUESTION))

    asyncio.run(both())


def run_generator():
    print("".join(filter(None, generator_agent(QUESTION))))


def run_async_generator():
    async def read():
        return [chunk async for chunk in async_generator_agent(QUESTION)]

    print(asyncio.run(read()))


def run_stream_read_later():
    stream = streaming_agent(QUESTION)
    mlflow.flush_trace_async_logging()  # MLflow sends its trace
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
    tool_functions["get_weather"] = broken_weather
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
