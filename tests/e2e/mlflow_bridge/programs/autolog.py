# ruff: noqa: T201  # written as users write programs
"""Scripts that enable MLflow's autolog, too, one per function."""

import os
import time

import mlflow
from agents import MODEL, QUESTION, client, run_steps, run_tool_agent
from mlflow.entities import SpanType
from openai import OpenAI


def run_autolog_agent():
    mlflow.openai.autolog()
    print(run_tool_agent(QUESTION))


def run_autolog_without_trace():
    mlflow.openai.autolog()
    print(run_steps(QUESTION))


def run_autolog_of_a_stream():
    mlflow.openai.autolog()

    @mlflow.trace(span_type=SpanType.AGENT)
    def agent(question):
        message = {"role": "user", "content": question}
        stream = client.chat.completions.create(
            model=MODEL,
            messages=[message],
            stream=True,
            stream_options={"include_usage": True},
        )
        return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)

    print(agent(QUESTION))


def run_autolog_inside_the_instrumentation():
    """Autolog's wrapper is inside that of the instrumentation."""
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    DeepSeekInstrumentor().uninstrument()
    mlflow.openai.autolog()
    DeepSeekInstrumentor().instrument()
    print(run_tool_agent(QUESTION))


def run_autolog_in_a_long_program():
    """MLflow's client writes its spans long before the exporter."""
    mlflow.openai.autolog()
    print(run_tool_agent(QUESTION))
    time.sleep(7)


def run_model_span_of_the_user():
    """A span of type CHAT_MODEL around the call that autolog did not make."""

    @mlflow.trace(span_type=SpanType.CHAT_MODEL)
    def ask(question):
        return run_steps(question)

    print(ask(QUESTION))


def run_other_provider():
    """Autolog of another provider's model, and a call of DeepSeek."""
    mlflow.openai.autolog()
    other = OpenAI(
        base_url=os.environ["DEEPSEEK_BASE_URL"].replace("127.0.0.1", "localhost"),
        api_key="sk-other",
    )

    @mlflow.trace(span_type=SpanType.AGENT)
    def agent(question):
        message = {"role": "user", "content": question}
        for some_client in (client, other):
            some_client.chat.completions.create(model=MODEL, messages=[message])

    agent(QUESTION)
