"""Spans of MLflow's autolog beneath, around and beside the span of a call."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import set_span_in_context

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator
from opentelemetry.exporter.mlflow._mlflow_bridge import _call_responses
from opentelemetry.exporter.mlflow._mlflow_bridge._call_responses import CallResponses
from opentelemetry.exporter.mlflow._mlflow_bridge._repeated_calls import (
    repeated_calls,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import FluentSpan
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator
from tests.exporter.pricing.calls import bundled_prices, call, unix_nanoseconds

START = unix_nanoseconds("2026-11-20T00:00:00+00:00")
USAGE = "mlflow.chat.tokenUsage"
COST = "mlflow.llm.cost"
AUTOLOG = {
    "mlflow.spanType": "CHAT_MODEL",
    "mlflow.message.format": "openai",
    "mlflow.llm.model": "deepseek-flash",
    "mlflow.spanOutputs": '{"id": "response-1"}',
    USAGE: '{"input_tokens": 1, "output_tokens": 1}',
}
CALL = call() | {"gen_ai.response.id": "response-1"}


@pytest.fixture(autouse=True)
def warn_again(monkeypatch):
    monkeypatch.setattr(repeated_calls, "_has_warned", False)


@pytest.fixture
def tracers():
    provider = TracerProvider(shutdown_on_exit=False)
    return SimpleNamespace(
        fluent=provider.get_tracer("mlflow"),
        deepseek=provider.get_tracer("opentelemetry.instrumentation.deepseek"),
    )


def start(tracer, attributes, parent=None):
    context = set_span_in_context(parent) if parent else None
    return tracer.start_span("x", context, attributes=attributes, start_time=START)


def translate(*spans):
    """End the spans and translate them in one batch; fluent ones have no scope name."""
    batch = []
    for span in spans:
        span.end(START + 1)
        _call_responses.call_responses.add(span)
        is_fluent = span.instrumentation_scope.name == "mlflow"
        batch.append(FluentSpan(span, span) if is_fluent else span)
    translator = BatchTranslator(
        promote_remote_root=True, translator=SpanTranslator(bundled_prices())
    )
    return [dict(span.attributes) for span in translator.translate(batch)]


def test_span_around_a_call_has_its_cost(tracers, caplog):
    outer = start(tracers.fluent, AUTOLOG)
    inner = start(tracers.deepseek, CALL, outer)
    call_attributes, autolog = translate(inner, outer)
    assert json.loads(autolog[COST])["total_cost"] == 0.1218
    assert autolog[COST] == call_attributes[COST]
    assert autolog[USAGE] == AUTOLOG[USAGE]
    assert caplog.text.count("recorded twice") == 1


def test_span_beneath_a_call_has_its_cost(tracers, caplog):
    outer = start(tracers.deepseek, CALL)
    inner = start(tracers.fluent, AUTOLOG, outer)
    autolog, call_attributes = translate(inner, outer)
    assert autolog[COST] == call_attributes[COST]
    assert caplog.text.count("recorded twice") == 1


def test_span_beneath_an_unpriced_call_has_no_cost(tracers):
    outer = start(tracers.deepseek, CALL | {"deepseek.server.type": "unknown"})
    outer.set_attribute("server.address", "gateway.example.com")
    inner = start(tracers.fluent, AUTOLOG, outer)
    for attributes in translate(inner, outer):
        assert COST not in attributes
        assert attributes["mlflow.llm.model"] == "deepseek-flash (no price)"


@pytest.mark.parametrize("has_agent", [True, False])
def test_span_beside_a_call_has_no_tokens(tracers, caplog, has_agent):
    agent = start(tracers.fluent, {"mlflow.spanType": "AGENT"}) if has_agent else None
    beside = start(tracers.fluent, AUTOLOG, agent)
    inner = start(tracers.deepseek, CALL, agent)
    attributes, autolog = translate(inner, beside)
    assert json.loads(attributes[COST])["total_cost"] == 0.1218
    assert USAGE not in autolog
    assert COST not in autolog
    assert autolog["mlflow.llm.model"] == "deepseek-flash"
    assert caplog.text.count("recorded twice") == 1


@pytest.mark.parametrize("outputs", ['{"id": "other"}', "[]", "text", "[" * 10_000, 7])
def test_span_of_another_response_is_not_changed(tracers, caplog, outputs):
    other = start(tracers.fluent, AUTOLOG | {"mlflow.spanOutputs": outputs})
    _, autolog = translate(start(tracers.deepseek, CALL), other)
    assert autolog[USAGE] == AUTOLOG[USAGE]
    assert "recorded twice" not in caplog.text


def test_model_span_of_the_user_gives_no_warning(tracers, caplog):
    outer = start(tracers.fluent, {"mlflow.spanType": "CHAT_MODEL"})
    translate(start(tracers.deepseek, CALL, outer), outer)
    assert "recorded twice" not in caplog.text


def test_number_of_remembered_responses_is_limited(tracers, monkeypatch):
    monkeypatch.setattr(_call_responses, "_MAX_RESPONSES", 2)
    responses = CallResponses()
    fluent = start(tracers.fluent, AUTOLOG)
    assert not responses.has_response_of(fluent)
    for number in (1, 2, 3):
        responses.add(
            start(tracers.deepseek, {"gen_ai.response.id": f"response-{number}"})
        )
    responses.add(start(tracers.deepseek, {}))
    responses.add(start(tracers.fluent, {"gen_ai.response.id": "response-1"}))
    assert not responses.has_response_of(fluent)
    assert list(responses._ids) == ["response-2", "response-3"]
