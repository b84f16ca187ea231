"""One span per call, whatever the variant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from dirty_equals import IsFloat, IsInt, IsStr
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel

from examples.simulator import Recorded
from opentelemetry.instrumentation.deepseek._answer import Answer

from .conftest import QUESTION, SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from examples.simulator import Simulator

    from .conftest import Telemetry

SECONDS = IsFloat(gt=0, lt=60)
START = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-flash",
    "server.address": "127.0.0.1",
    "server.port": IsInt(gt=0),
}
THINKING = {
    **START,
    "gen_ai.response.id": "945bb10c-9bf3-47ff-a2a2-43bbe9705c72",
    "gen_ai.response.model": "deepseek-flash",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 97,
    "gen_ai.usage.output_tokens": 61,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.reasoning.output_tokens": 47,
    "deepseek.response.system_fingerprint": "aeb56401ca74e127821c4f9126dcb669",
}
THINKING_STREAM = {
    **START,
    "gen_ai.request.stream": True,
    "gen_ai.response.id": "cac7192e-e619-40c6-96b0-ed4276bc03ac",
    "gen_ai.response.model": "deepseek-flash",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.time_to_first_chunk": SECONDS,
    "gen_ai.usage.input_tokens": 97,
    "gen_ai.usage.output_tokens": 18,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.reasoning.output_tokens": 9,
    "deepseek.response.system_fingerprint": "aeb56401ca74e127821c4f9126dcb669",
    "deepseek.response.time_to_first_reasoning": SECONDS,
    "deepseek.response.time_to_first_answer": SECONDS,
    "deepseek.response.trace_id": IsStr(regex="[0-9a-f]{32}"),
}
TRACED = {"deepseek.response.trace_id": IsStr(regex="[0-9a-f]{32}")}


class Letters(BaseModel):
    letter: str
    count: int


def test_a_completion_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    completion = call()

    assert type(completion).__name__ == "ChatCompletion"
    span = telemetry.span
    assert span.name == "chat deepseek-flash"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes == THINKING
    assert span.events == ()
    assert span.parent is None
    assert span.instrumentation_scope.name == "opentelemetry.instrumentation.deepseek"


def test_a_stream_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    chunks = call(stream=True)

    assert {type(chunk).__name__ for chunk in chunks} == {"ChatCompletionChunk"}
    assert telemetry.span.attributes == THINKING_STREAM
    assert telemetry.span.status.status_code is StatusCode.UNSET


def test_a_raw_response_is_given_back_itself_and_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    response = call("with_raw_response.create")

    assert type(response).__name__ == "LegacyAPIResponse"
    assert telemetry.span.attributes == THINKING | TRACED
    assert response.parse().usage.total_tokens == 158
    assert len(telemetry.spans) == 1


@pytest.mark.parametrize("body", [b"", b"<p>", b"[]", b"[" * 100_000, b"\xff"])
def test_a_raw_response_that_is_no_json_is_given_back_itself(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    body: bytes,
) -> None:
    instrument()
    deepseek.answer_next(Recorded(body=body))

    assert call("with_raw_response.create").content == body
    assert telemetry.span.attributes == START | TRACED | {
        "gen_ai.response.finish_reasons": ("error",)
    }


def test_a_raw_stream_is_one_span_that_ends_with_the_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def parsed(response: Any) -> None:
        stream = response.parse()
        assert isinstance(stream, (openai.Stream, openai.AsyncStream))
        assert response.parse() is stream
        assert response.headers["x-ds-trace-id"]
        assert telemetry.spans == []
        if kind == "OpenAI":
            list(stream)
        else:
            [_ async for _ in stream]

    call("with_raw_response.create", using=parsed, stream=True)

    assert telemetry.span.attributes == THINKING_STREAM


def test_parse_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    body = json.loads((SAMPLES / "chat_thinking.json").read_bytes())
    body["choices"][0]["message"]["content"] = '{"letter": "r", "count": 3}'
    deepseek.answer_next(Recorded(body=json.dumps(body).encode()))

    completion = call("parse", response_format=Letters)

    assert completion.choices[0].message.parsed == Letters(letter="r", count=3)
    assert telemetry.span.attributes == THINKING | {"gen_ai.output.type": "json"}


def test_an_answer_that_parse_refuses_is_an_error_whose_tokens_count(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking_length_empty.json"))

    with pytest.raises(openai.LengthFinishReasonError):
        call("parse", response_format=Letters)

    attributes = telemetry.span.attributes
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert attributes["error.type"] == "openai.LengthFinishReasonError"
    assert attributes["gen_ai.response.finish_reasons"] == ("length",)
    assert attributes["gen_ai.usage.output_tokens"] > 0


def test_the_stream_helper_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def helped(manager: Any) -> str:
        if kind == "OpenAI":
            with manager as stream:
                return stream.get_final_completion().choices[0].message.content
        async with manager as stream:
            return (await stream.get_final_completion()).choices[0].message.content

    assert call("stream", using=helped) == "There are **three** r's."
    assert telemetry.span.attributes == THINKING_STREAM


@pytest.mark.parametrize("use", ["parse", "read", "leave"])
def test_a_response_read_by_hand_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    use: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    async def used(manager: Any) -> None:
        if kind == "OpenAI":
            with manager as response:
                assert telemetry.spans == []
                if use != "leave":
                    getattr(response, use)()
        else:
            async with manager as response:
                assert telemetry.spans == []
                if use != "leave":
                    await getattr(response, use)()

    call("with_streaming_response.create", using=used)

    if use == "leave":
        assert telemetry.span.attributes == START | TRACED | {
            "gen_ai.response.finish_reasons": ("error",)
        }
    else:
        assert telemetry.span.attributes == THINKING | TRACED
    assert telemetry.span.status.status_code is StatusCode.UNSET


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


@pytest.mark.swallows
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
    assert message.startswith("Lost DeepSeek telemetry while observing an answer")


@pytest.mark.swallows
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
    assert message.startswith("Lost DeepSeek telemetry while starting a span")


@pytest.mark.swallows
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
    assert message.startswith("Lost DeepSeek telemetry while ending a span")


@pytest.mark.swallows
def test_an_answer_that_cannot_be_told_still_ends_its_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: Answer) -> Any:
        raise RuntimeError

    monkeypatch.setattr(Answer, "messages", broken)
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.usage.input_tokens"] > 0
    (message,) = caplog.messages
    assert message.startswith("Lost DeepSeek telemetry while recording an answer")


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


def test_the_callers_own_spans_are_no_children_of_an_open_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def consumed(stream: Any) -> None:
        with tracer.start_as_current_span("while open"):
            pass
        if hasattr(stream, "__next__"):
            for _ in stream:
                with tracer.start_as_current_span("between"):
                    pass
        else:
            async for _ in stream:
                with tracer.start_as_current_span("between"):
                    pass

    call(stream=True, using=consumed)

    assert {span.parent for span in telemetry.spans} == {None}


def test_a_span_of_the_application_is_the_parent(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))

    with telemetry.tracer_provider.get_tracer("app").start_as_current_span("agent"):
        call()

    chat, agent = telemetry.spans
    assert chat.parent == agent.context
