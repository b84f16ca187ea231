"""Each method of the SDK makes one span for a call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import openai
import pytest
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel

from examples.simulator import RecordedResponse
from opentelemetry.instrumentation.deepseek._invocation import (
    AsyncInvocation,
    Invocation,
)
from opentelemetry.instrumentation.deepseek._observer import InvocationObserver

from .attributes import START, THINKING, THINKING_STREAM, TRACE_ID
from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


class Letters(BaseModel):
    letter: str
    count: int


def test_completion_is_one_span(
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


def test_stream_is_one_span(
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


def test_raw_response_is_returned_unwrapped_and_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    response = call("with_raw_response.create")

    assert type(response).__name__ == "LegacyAPIResponse"
    assert telemetry.span.attributes == THINKING | TRACE_ID
    assert response.parse().usage.total_tokens == 158
    assert len(telemetry.spans) == 1


@pytest.mark.parametrize("body", [b"", b"<p>", b"[]", b"[" * 100_000, b"\xff"])
def test_raw_response_without_json_is_returned_unwrapped(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    body: bytes,
) -> None:
    instrument()
    deepseek.answer_next(RecordedResponse(body=body))

    assert call("with_raw_response.create").content == body
    assert telemetry.span.attributes == START | TRACE_ID | {
        "gen_ai.response.finish_reasons": ("error",)
    }


def test_raw_stream_is_one_span_that_ends_with_the_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def parse_and_read(response: Any) -> None:
        stream = response.parse()
        assert isinstance(stream, (openai.Stream, openai.AsyncStream))
        assert response.parse() is stream
        assert response.headers["x-ds-trace-id"]
        assert telemetry.spans == []
        if client_class == "OpenAI":
            list(stream)
        else:
            [_ async for _ in stream]

    call("with_raw_response.create", consume=parse_and_read, stream=True)

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
    deepseek.answer_next(RecordedResponse(body=json.dumps(body).encode()))

    completion = call("parse", response_format=Letters)

    assert completion.choices[0].message.parsed == Letters(letter="r", count=3)
    assert telemetry.span.attributes == THINKING | {"gen_ai.output.type": "json"}


def test_completion_rejected_by_parse_is_an_error_with_usage(
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


def test_stream_manager_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def read_with_manager(manager: Any) -> str:
        if client_class == "OpenAI":
            with manager as stream:
                return stream.get_final_completion().choices[0].message.content
        async with manager as stream:
            return (await stream.get_final_completion()).choices[0].message.content

    assert call("stream", consume=read_with_manager) == "There are **three** r's."
    assert telemetry.span.attributes == THINKING_STREAM


@pytest.mark.parametrize("use", ["parse", "read", "leave"])
def test_streaming_response_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    use: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    async def consume(manager: Any) -> None:
        if client_class == "OpenAI":
            with manager as response:
                assert telemetry.spans == []
                if use != "leave":
                    getattr(response, use)()
        else:
            async with manager as response:
                assert telemetry.spans == []
                if use != "leave":
                    await getattr(response, use)()

    call("with_streaming_response.create", consume=consume)

    if use == "leave":
        assert telemetry.span.attributes == START | TRACE_ID | {
            "gen_ai.response.finish_reasons": ("error",)
        }
    else:
        assert telemetry.span.attributes == THINKING | TRACE_ID
    assert telemetry.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("invocation", [Invocation, AsyncInvocation])
def test_an_invocation_has_every_method_that_wrappers_report_to(
    invocation: type[Invocation],
) -> None:
    methods = {
        name for name, value in vars(InvocationObserver).items() if callable(value)
    } - set(vars(Protocol))
    assert {"on_chunk", "record", "fail"} <= methods
    assert all(callable(getattr(invocation, name)) for name in methods)
