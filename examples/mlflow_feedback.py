# pyright: basic
"""Trace metadata and feedback: `opentelemetry-instrument python mlflow_feedback.py`.

Needs `pip install mlflow` in addition to the packages of the README. Set
OTEL_TRACES_EXPORTER=mlflow. The program itself uses only MLflow's API.
"""

import os

import mlflow
from mlflow.entities import AssessmentSource
from openai import OpenAI

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])


@mlflow.trace(span_type="AGENT")
def answer(question: str) -> str | None:
    mlflow.update_current_trace(
        tags={"desk": "north"}, metadata={"release": "7"}, user="ada", session_id="talk"
    )
    response = deepseek.chat.completions.create(
        model="deepseek-flash", messages=[{"role": "user", "content": question}]
    )
    return response.choices[0].message.content


print(answer("What does a refund take?"))
trace_id = mlflow.get_last_active_trace_id() or ""
mlflow.flush_trace_async_logging()  # feedback needs an exported trace
ada = AssessmentSource("HUMAN", "ada")
mlflow.log_feedback(trace_id=trace_id, name="liked", value=False, source=ada)
mlflow.log_expectation(trace_id=trace_id, name="days", value=14, source=ada)
traces = mlflow.search_traces(
    filter_string="metadata.release = '7' AND feedback.liked = 'false'",
    return_type="list",
)
print([trace.info.trace_id for trace in traces])
