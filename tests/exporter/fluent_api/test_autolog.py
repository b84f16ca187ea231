"""Calls that MLflow's autolog records, too, beneath the span of the instrumentation."""

from __future__ import annotations

import json
import types

import mlflow
import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from opentelemetry import trace
from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._content._pending import pending_content
from opentelemetry.exporter.mlflow._mlflow_bridge import _autolog_patch
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

SCOPE = "opentelemetry.instrumentation.deepseek"
OWN_SPAN = "a span of autolog"
INPUTS = {
    "model": "deepseek-chat",
    "messages": [{"role": "user", "content": "Rain?"}],
    "extra_headers": {"Authorization": "Bearer sk-1"},
    "timeout": 7,
}
OUTPUTS = {"choices": [{"message": {"role": "assistant", "content": "No."}}]}


@pytest.fixture
def autolog(application):
    """Records a call as autolog does: returns its span, which has ended."""
    module = types.ModuleType("mlflow.openai.autolog")
    module._start_span = lambda *_: OWN_SPAN
    MlflowInstrumentor().instrument(tracer_provider=application.provider)
    _autolog_patch.patch_autolog(module, bridge)
    mlflow.set_tracking_uri(application.fake_server.uri)

    def record(outputs=OUTPUTS):
        span = module._start_span("resource", INPUTS, None)
        if span != OWN_SPAN:
            span.end(outputs=outputs)
        return span

    yield record
    mlflow.set_tracking_uri(None)
    MlflowInstrumentor().uninstrument()
    assert not _autolog_patch._autolog_spans
    assert pending_content.is_empty


def call(application, scope=SCOPE, **attributes):
    tracer = application.provider.get_tracer(scope)
    attributes = {"gen_ai.operation.name": "chat"} | attributes
    return tracer.start_as_current_span("chat", attributes=attributes)


def sent_attributes(application):
    request = application.fake_server.requests[-1]
    return {item.key: item.value.string_value for item in request.spans[0].attributes}


def test_call_has_the_content_of_autolog_in_mlflow_only(application, autolog):
    with call(application):
        assert autolog().trace_id == "MLFLOW_NO_OP_SPAN_TRACE_ID"
    attributes = sent_attributes(application)
    assert json.loads(attributes["mlflow.spanInputs"]) == {
        "model": INPUTS["model"],
        "messages": INPUTS["messages"],
    }
    assert json.loads(attributes["mlflow.spanOutputs"]) == OUTPUTS
    assert attributes["mlflow.message.format"] == "openai"
    (span,) = application.memory.get_finished_spans()
    assert dict(span.attributes) == {"gen_ai.operation.name": "chat"}


def test_call_that_fails_has_inputs_alone(application, autolog):
    with call(application):
        autolog(None)
    attributes = sent_attributes(application)
    assert "mlflow.spanInputs" in attributes
    assert "mlflow.spanOutputs" not in attributes


def test_content_of_the_span_takes_precedence(application, autolog):
    messages = [{"role": "user", "parts": [{"type": "text", "content": "Sun?"}]}]
    with call(application, **{"gen_ai.input.messages": json.dumps(messages)}):
        autolog()
    inputs = json.loads(sent_attributes(application)["mlflow.spanInputs"])
    assert inputs["messages"] == [{"role": "user", "content": "Sun?"}]


def test_call_of_another_library_has_the_span_of_autolog(application, autolog):
    with call(application, scope="another.instrumentation"):
        assert autolog() == OWN_SPAN
    assert autolog() == OWN_SPAN


def test_call_that_is_not_exported_has_the_span_of_autolog(application, autolog):
    application.provider.sampler = ALWAYS_OFF
    with call(application):
        assert autolog() == OWN_SPAN


def test_client_of_another_server_has_the_span_of_autolog(application, autolog):
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    with call(application):
        assert autolog() == OWN_SPAN


def test_call_outside_the_share_of_traces_has_no_content(
    application, autolog, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACE_SAMPLING_RATIO", "0")
    with call(application):
        autolog()
    assert pending_content.is_empty
    assert not application.fake_server.requests


def test_span_that_never_ends_is_released(application, autolog):
    span = application.provider.get_tracer(SCOPE).start_span("chat")
    with trace.use_span(span):
        autolog()
    assert _autolog_patch._autolog_spans
