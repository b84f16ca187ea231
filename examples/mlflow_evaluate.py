# pyright: basic
"""Evaluates traces and an agent: `python examples/mlflow_evaluate.py`.

Needs `pip install mlflow` in addition to the packages of the README.
"""

import os
from typing import Any

import mlflow
from mlflow.genai import evaluate, scorer
from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

provider = TracerProvider()  # no batches: scorers read exported traces
provider.add_span_processor(SimpleSpanProcessor(MlflowSpanExporter()))
MlflowInstrumentor().instrument(tracer_provider=provider)
DeepSeekInstrumentor().instrument(tracer_provider=provider)
mlflow.autolog(disable=True)  # evaluate() would add spans for each call
url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek: Any = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])


def answer(question: str) -> Any:
    chat = [{"role": "user", "content": question}]
    response = deepseek.chat.completions.create(model="deepseek-flash", messages=chat)
    return response.choices[0].message.content


polite = scorer(lambda outputs: answer(f"Is it polite? {outputs}"), name="polite")
tokens = scorer(lambda trace: trace.info.token_usage["total_tokens"], name="tokens")
answer("What does a refund take?")
data: Any = mlflow.search_traces()
print(evaluate(data, [polite, tokens]).metrics)
data = [{"inputs": {"question": "And an exchange?"}}]
print(evaluate(data, [polite, tokens], predict_fn=answer).metrics)
