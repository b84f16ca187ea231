# pyright: basic
"""Searches traces by tag, user and session: `python examples/mlflow_search.py`.

Needs `pip install mlflow` in addition to the packages of the README.
"""

import os

import mlflow
from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(MlflowSpanExporter()))
DeepSeekInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("helpdesk")
url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])


def answer(question: str, user: str, session: str) -> None:
    attributes = {
        "user.id": user,
        "session.id": session,
        "mlflow.traceTag.desk": "north",
    }
    with tracer.start_as_current_span("answer", attributes=attributes):
        deepseek.chat.completions.create(
            model="deepseek-flash", messages=[{"role": "user", "content": question}]
        )


answer("What does a refund take?", "ada", "talk-1")
answer("And for an exchange?", "ada", "talk-1")
answer("Where are you?", "bob", "talk-2")
provider.shutdown()
for filter_string in ("tag.desk = 'north'", "metadata.`mlflow.trace.user` = 'ada'"):
    traces = mlflow.search_traces(filter_string=filter_string, return_type="list")
    print(filter_string, len(traces))
for session in mlflow.search_sessions():
    print(session.id, [trace.info.request_preview for trace in session])
