"""A conversation as MLflow shows it."""

from __future__ import annotations

import uuid

import openai
import pytest

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .conversation import HOOK, SECRET, both_to


@pytest.mark.e2e
def test_the_conversation_is_in_mlflow_and_nowhere_else(
    monkeypatch, mlflow_server, caplog
):
    from mlflow import MlflowClient

    monkeypatch.setenv(HOOK, "mlflow")
    both = both_to(mlflow_server, experiment_name=f"content {uuid.uuid4()}")
    instrumentor = DeepSeekInstrumentor()
    with Simulator() as simulator:
        instrumentor.instrument(tracer_provider=both.provider, hosts=["127.0.0.1"])
        try:
            client = openai.OpenAI(base_url=simulator.base_url, api_key="sk-test")
            with both.provider.get_tracer("t").start_as_current_span("work"):
                answer = client.chat.completions.create(
                    model="deepseek-flash",
                    messages=[
                        {"role": "system", "content": f"{SECRET} system"},
                        {"role": "user", "content": SECRET},
                    ],
                )
                stream = client.chat.completions.create(
                    model="deepseek-flash",
                    messages=[{"role": "user", "content": SECRET}],
                    stream=True,
                )
                for _ in stream:
                    pass
        finally:
            instrumentor.uninstrument()
    both.provider.shutdown()
    message = answer.choices[0].message
    plain, _, root = both.others.get_finished_spans()
    for said in (SECRET, message.content, message.reasoning_content):
        assert said.encode() not in both.seen_by_others
    trace = MlflowClient(mlflow_server).get_trace(f"tr-{root.context.trace_id:032x}")
    (span,) = (
        span
        for span in trace.data.spans
        if span.span_id == f"{plain.context.span_id:016x}"
    )
    assert span.inputs["messages"] == [
        {"role": "system", "content": f"{SECRET} system"},
        {"role": "user", "content": SECRET},
    ]
    assert span.outputs["choices"][0]["message"] == {
        "role": "assistant",
        "content": message.content,
        "reasoning": message.reasoning_content,
    }
    assert trace.info.request_preview == SECRET
    assert caplog.records == []
