"""`litellm.completion` and `acompletion`: one span, as of a call of the openai SDK."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from examples.simulator import RecordedResponse
from tests.instrumentation.attributes import (
    START,
    THINKING,
    THINKING_STREAM,
    TRACE_ID,
    content,
)

from .conftest import KEY, QUESTION, litellm, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

ANSWER = sample("chat_thinking.json")
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object"}},
}


def test_completion_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(ANSWER)

    response = call(max_tokens=500, temperature=0.5)

    assert type(response) is litellm.ModelResponse
    span = telemetry.span
    assert (span.name, span.kind) == ("chat deepseek-flash", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes == THINKING | TRACE_ID | {
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.temperature": 0.5,
    }


@pytest.mark.parametrize("stream_options", [None, {"include_usage": True}])
def test_stream_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream_options: Any,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    chunks = call(stream=True, stream_options=stream_options)

    assert {type(chunk) for chunk in chunks} == {litellm.ModelResponseStream}
    assert telemetry.span.attributes == THINKING_STREAM


@pytest.mark.parametrize("stream", [False, True])
def test_content_is_recorded_only_when_it_is_on(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream: bool,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse") if stream else ANSWER)

    call(stream=stream)

    assert content(telemetry, "input.messages") == [
        {
            "role": "user",
            "parts": [{"type": "text", "content": QUESTION[0]["content"]}],
        }
    ]
    (message,) = content(telemetry, "output.messages")
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]
    assert all(part["content"] for part in message["parts"])
    assert message["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls_are_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream: bool,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(
        sample(
            "stream_tool_calls_parallel.sse"
            if stream
            else "chat_tool_calls_parallel.json"
        )
    )

    call(stream=stream, tools=[TOOL])

    assert content(telemetry, "tool.definitions") == [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
    ]
    (message,) = content(telemetry, "output.messages")
    calls = [part for part in message["parts"] if part["type"] == "tool_call"]
    assert [call["name"] for call in calls] == ["get_weather", "get_weather"]
    assert all(call["id"] and call["arguments"] for call in calls)
    assert message["finish_reason"] == "tool_call"
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == (
        "tool_calls",
    )


@pytest.mark.parametrize("content_mode", ["", "SPAN_ONLY"])
@pytest.mark.parametrize("stream", [False, True])
def test_error_has_its_type_and_the_message_of_the_server(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content_mode: str,
    stream: bool,
) -> None:
    instrument(content_mode)
    deepseek.answer_next(sample("error_401_bad_key.json"))

    with pytest.raises(litellm.AuthenticationError):
        call(stream=stream)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == (
        "Authentication Fails, Your api key: [redacted] is invalid"
        " (request_id: 6f1d2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b)"
    )
    stream_attribute = {"gen_ai.request.stream": True} if stream else {}
    recorded = {
        name: value
        for name, value in span.attributes.items()
        if not name.endswith("messages")
    }
    assert recorded == START | TRACE_ID | stream_attribute | {
        "error.type": "litellm.exceptions.AuthenticationError",
        "gen_ai.response.finish_reasons": ("error",),
        "http.response.status_code": 401,
    }
    assert KEY not in span.to_json()


def test_error_quotes_no_content(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(RecordedResponse(body=b"The answer is SECRET ANSWER"))

    with pytest.raises(litellm.APIError):
        call()

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert "SECRET" not in telemetry.span.to_json()


def test_refused_connection_has_no_status_code(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    instrument()

    with pytest.raises(litellm.InternalServerError):
        call(api_base="http://127.0.0.1:9/v1")

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert "http.response.status_code" not in telemetry.span.attributes


def test_retries_belong_to_the_span_of_the_call(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_503.json"), times=2)
    deepseek.answer_next(ANSWER)

    call(num_retries=2)

    assert len(deepseek.exchanges) == 3
    assert telemetry.span.attributes == THINKING | TRACE_ID


def test_call_that_fails_after_its_retries_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_503.json"), times=3)

    with pytest.raises(litellm.ServiceUnavailableError):
        call(num_retries=2)

    assert telemetry.span.attributes["error.type"] == (
        "litellm.exceptions.ServiceUnavailableError"
    )
    assert telemetry.span.attributes["http.response.status_code"] == 503


@pytest.mark.parametrize(
    "arguments",
    [
        {"mock_response": "Hi"},
        {"model": "gpt-5", "mock_response": "Hi"},
        {"max_tokens": 1, "mock_response": litellm.RateLimitError("", "", "")},
    ],
    ids=str,
)
def test_call_without_a_request_has_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    arguments: dict[str, Any],
) -> None:
    instrument()
    with suppress(litellm.RateLimitError):
        call(**arguments)
    assert telemetry.spans == []


def test_cached_answer_has_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(litellm, "cache", litellm.Cache(type="local"))
    instrument()
    deepseek.answer_next(ANSWER)

    call()
    call()

    assert len(deepseek.exchanges) == len(telemetry.spans) == 1


def test_other_hosts_are_not_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["gateway.example.com"])
    deepseek.answer_next(ANSWER)
    deepseek.answer_next(sample("stream_thinking.sse"))

    call(model="mistral/mistral-large")
    call(
        model="mistral/mistral-large",
        stream=True,
        consume=lambda stream: type(stream).__name__,
    )

    assert telemetry.spans == []


def test_openai_prefix_has_the_span_of_the_sdk(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(ANSWER)
    call(model="openai/deepseek-flash")
    gc.collect()
    assert telemetry.span.name == "chat deepseek-flash"


def test_text_completion_is_a_chat(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(ANSWER)

    response = call("text_completion", prompt="How many r's are in strawberry?")

    assert type(response) is litellm.TextCompletionResponse
    assert telemetry.span.attributes.items() >= (THINKING | TRACE_ID).items()
    assert content(telemetry, "input.messages")[0]["parts"][0]["content"] == (
        "How many r's are in strawberry?"
    )


def test_streamed_text_completion_is_a_chat(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))
    call("text_completion", prompt="Hi", stream=True)
    gc.collect()
    assert telemetry.span.attributes == THINKING_STREAM


@pytest.mark.parametrize("stream", [False, True])
def test_responses_are_a_chat(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream: bool,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse") if stream else ANSWER)

    call("responses", input="How many r's are in strawberry?", stream=stream)
    gc.collect()

    attributes = telemetry.span.attributes
    assert attributes["gen_ai.usage.input_tokens"] == 97
    assert attributes["gen_ai.provider.name"] == "deepseek"
    assert content(telemetry, "input.messages")[0]["role"] == "user"
