"""A request: its settings are on its span, and it is sent as the caller made it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from examples.simulator import Recorded

from .attributes import SECONDS, START, THINKING, TRACED
from .conftest import QUESTION, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_every_setting_of_a_request_is_on_its_span(
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


def test_several_stop_words_are_kept(
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


def test_without_a_model_there_is_none_on_the_span(
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
        Recorded(headers={"content-type": "text/event-stream"}, body=stream)
    )
    call(model=None, stream=True)
    assert telemetry.span.name == "chat"
    assert telemetry.span.attributes == {
        key: value for key, value in START.items() if "model" not in key
    } | TRACED | {
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": SECONDS,
    }


def test_what_is_sent_is_what_the_caller_sent(
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

    bare, plain, full = (
        (exchange.body, exchange.headers) for exchange in deepseek.exchanges
    )
    assert bare == plain == full


def test_an_iterator_of_messages_is_the_callers_to_read(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))

    call(messages=(message for message in QUESTION))

    (exchange,) = deepseek.exchanges
    assert json.loads(exchange.body)["messages"] == QUESTION
    assert "gen_ai.input.messages" not in telemetry.span.attributes
