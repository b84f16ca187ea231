"""Request attributes, and the request as it is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from examples.simulator import RecordedResponse

from .attributes import SECONDS, START, THINKING, TRACE_ID
from .conftest import QUESTION, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_request_arguments_are_span_attributes(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    call(
        temperature=1,
        top_p=0.5,
        presence_penalty=0.25,
        frequency_penalty=-0.25,
        max_tokens=512,
        max_completion_tokens=1024,
        stop="END",
        seed=7,
        reasoning_effort="high",
        response_format={"type": "json_object"},
        extra_body={"thinking": {"type": "enabled"}, "user_id": "u-1"},
        extra_headers={"X-Secret": "hush"},
    )

    assert telemetry.span.attributes == THINKING | {
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.presence_penalty": 0.25,
        "gen_ai.request.frequency_penalty": -0.25,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.seed": 7,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.output.type": "json",
        "deepseek.request.thinking.type": "enabled",
    }
    assert isinstance(telemetry.span.attributes["gen_ai.request.temperature"], float)


def test_several_stop_sequences_are_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call(stop=["END", "STOP"])
    stop = telemetry.span.attributes["gen_ai.request.stop_sequences"]
    assert stop == ("END", "STOP")


def test_call_without_a_model_has_no_model_attribute(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    stream = (
        b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
        b"data: [DONE]\n\n"
    )
    deepseek.answer_next(
        RecordedResponse(headers={"content-type": "text/event-stream"}, body=stream)
    )
    call(model=None, stream=True)
    assert telemetry.span.name == "chat"
    assert telemetry.span.attributes == {
        key: value for key, value in START.items() if "model" not in key
    } | TRACE_ID | {
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": SECONDS,
    }


def test_sent_request_is_the_same_as_without_instrumentation(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
) -> None:
    arguments: dict[str, Any] = {
        "stream": True,
        "temperature": 0.5,
        "extra_body": {"thinking": {"type": "disabled"}},
    }
    for content in (None, "", "SPAN_AND_EVENT"):
        if content is not None:
            instrument(content)
        deepseek.answer_next(sample("stream_plain.sse"))
        call(**arguments)
        if content == "":
            from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

            DeepSeekInstrumentor().uninstrument()

    uninstrumented, without_content, with_content = (
        (exchange.request_body, exchange.request_headers)
        for exchange in deepseek.exchanges
    )
    assert uninstrumented == without_content == with_content


def test_iterator_of_messages_is_sent_and_not_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))

    call(messages=(message for message in QUESTION))

    (exchange,) = deepseek.exchanges
    assert json.loads(exchange.request_body)["messages"] == QUESTION
    assert "gen_ai.input.messages" not in telemetry.span.attributes
