"""Errors of the instrumentation, of samplers and of processors do not fail a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler

from examples.simulator import RecordedResponse
from opentelemetry.instrumentation.deepseek._response import ResponseAccumulator

from .attributes import START
from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_result_without_choices_is_returned_and_ends_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    # For example a page of a proxy, of which the SDK returns the text.
    deepseek.answer_next(
        RecordedResponse(headers={"content-type": "text/html"}, body=b"<p>")
    )
    assert call() == "<p>"
    assert telemetry.span.attributes == START | {
        "gen_ai.response.finish_reasons": ("error",)
    }


@pytest.mark.internal_error
def test_unreadable_completion_is_returned_and_ends_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raise_error(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(ResponseAccumulator, "add", raise_error)
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)
    (message,) = caplog.messages
    assert message.startswith("DeepSeek telemetry was lost: reading a result failed")


@pytest.mark.internal_error
def test_call_succeeds_if_the_sampler_raises(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class RaisingSampler(Sampler):
        def should_sample(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError

        def get_description(self) -> str:
            return "raising"

    instrument(tracer_provider=TracerProvider(sampler=RaisingSampler()))
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    (message,) = caplog.messages
    assert message.startswith("DeepSeek telemetry was lost: starting a span failed")


@pytest.mark.internal_error
def test_call_succeeds_if_a_span_processor_raises(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class RaisingProcessor(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError

    telemetry.tracer_provider.add_span_processor(RaisingProcessor())
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    (message,) = caplog.messages
    assert message.startswith("DeepSeek telemetry was lost: ending a span failed")


@pytest.mark.internal_error
def test_span_ends_if_output_messages_cannot_be_read(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raise_error(_: ResponseAccumulator) -> Any:
        raise RuntimeError

    monkeypatch.setattr(ResponseAccumulator, "messages", raise_error)
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.usage.input_tokens"] > 0
    (message,) = caplog.messages
    assert message.startswith(
        "DeepSeek telemetry was lost: recording a response failed"
    )
