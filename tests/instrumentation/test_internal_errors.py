"""What we cannot read, start or end is no trouble of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler

from examples.simulator import Recorded
from opentelemetry.instrumentation.deepseek._response import ResponseAccumulator

from .attributes import START
from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_what_is_no_completion_is_given_back_and_ends_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    # A proxy's page, say: the SDK gives its text.
    deepseek.answer_next(Recorded(headers={"content-type": "text/html"}, body=b"<p>"))
    assert call() == "<p>"
    assert telemetry.span.attributes == START | {
        "gen_ai.response.finish_reasons": ("error",)
    }


@pytest.mark.internal_error
def test_a_completion_that_cannot_be_read_is_given_back_and_ends_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instrument()
    deepseek.answer_next(Recorded(body=b'{"id": "1", "choices": 5}'))
    assert call().choices == 5
    assert telemetry.span.attributes["gen_ai.response.id"] == "1"
    (message,) = caplog.messages
    assert message.startswith("DeepSeek telemetry was lost: reading a result failed")


@pytest.mark.internal_error
def test_where_no_span_can_be_started_the_call_goes_on(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Sampler):
        def should_sample(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError

        def get_description(self) -> str:
            return "broken"

    instrument(tracer_provider=TracerProvider(sampler=Broken()))
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    (message,) = caplog.messages
    assert message.startswith("DeepSeek telemetry was lost: starting a span failed")


@pytest.mark.internal_error
def test_a_processor_that_raises_is_not_the_callers_trouble(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError

    telemetry.tracer_provider.add_span_processor(Broken())
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    (message,) = caplog.messages
    assert message.startswith("DeepSeek telemetry was lost: ending a span failed")


@pytest.mark.internal_error
def test_an_answer_that_cannot_be_told_still_ends_its_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: ResponseAccumulator) -> Any:
        raise RuntimeError

    monkeypatch.setattr(ResponseAccumulator, "messages", broken)
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.usage.input_tokens"] > 0
    (message,) = caplog.messages
    assert message.startswith(
        "DeepSeek telemetry was lost: recording a response failed"
    )
