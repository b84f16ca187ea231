# pyright: basic
"""Links traces to a run and a prompt version: `python examples/mlflow_links.py`.

Needs `pip install mlflow` in addition to the packages of the README.
"""

import os
from typing import Any

import mlflow
from mlflow.genai import register_prompt
from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import format_trace_id

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(MlflowSpanExporter()))
DeepSeekInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("helpdesk")
url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek: Any = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])

prompt = register_prompt("poem", "A haiku about {{subject}}.")
with tracer.start_as_current_span("poem") as span:
    chat = [{"role": "user", "content": prompt.format(subject="rain")}]
    deepseek.chat.completions.create(model="deepseek-flash", messages=chat)
provider.shutdown()
trace_id = f"tr-{format_trace_id(span.get_span_context().trace_id)}"
client = mlflow.MlflowClient()
with mlflow.start_run() as run:
    client.link_traces_to_run([trace_id], run.info.run_id)
client.link_prompt_versions_to_trace([prompt], trace_id)
for filter_string in (
    f"run_id = '{run.info.run_id}'",
    f"prompt = 'poem/{prompt.version}'",
):
    traces = mlflow.search_traces(filter_string=filter_string, return_type="list")
    print(filter_string, len(traces))
