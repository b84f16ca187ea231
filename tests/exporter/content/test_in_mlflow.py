"""Content of the completion hook in a real MLflow server."""

from __future__ import annotations

import uuid

import openai
import pytest

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .two_exporters import HOOK_VARIABLE, SECRET, make_exporters


@pytest.mark.e2e
def test_mlflow_shows_content_that_other_exporters_do_not_receive(
    monkeypatch, mlflow_server, caplog
):
    from mlflow import MlflowClient

    monkeypatch.setenv(HOOK_VARIABLE, "mlflow")
    exporters = make_exporters(mlflow_server, experiment_name=f"content {uuid.uuid4()}")
    instrumentor = DeepSeekInstrumentor()
    with Simulator() as simulator:
        instrumentor.instrument(tracer_provider=exporters.provider, hosts=["127.0.0.1"])
        try:
            client = openai.OpenAI(base_url=simulator.base_url, api_key="sk-test")
            with exporters.provider.get_tracer("t").start_as_current_span("work"):
                completion = client.chat.completions.create(
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
    exporters.provider.shutdown()
    message = completion.choices[0].message
    chat_span, _, root = exporters.other.get_finished_spans()
    for text in (SECRET, message.content, message.reasoning_content):
        assert text.encode() not in exporters.bytes_of_other
    trace = MlflowClient(mlflow_server).get_trace(f"tr-{root.context.trace_id:032x}")
    (span,) = (
        span
        for span in trace.data.spans
        if span.span_id == f"{chat_span.context.span_id:016x}"
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
