"""A stream ends once, however it ends."""

from __future__ import annotations

import asyncio
import gc
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from .conftest import QUESTION, sample
from .streams import close, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


async def read_some_and_close(stream: Any) -> None:
    await take(stream, 6)
    await close(stream)
    await close(stream)


async def read_some_and_aclose(stream: Any) -> None:
    await take(stream, 6)
    await (stream.aclose() if hasattr(stream, "aclose") else close(stream))


async def leave_a_with_early(stream: Any) -> None:
    if isinstance(stream, openai.Stream):
        with stream as entered:
            assert entered is stream
            await take(stream, 6)
    else:
        async with stream as entered:
            assert entered is stream
            await take(stream, 6)


async def raise_in_a_with(stream: Any) -> None:
    with suppress(KeyError):
        if isinstance(stream, openai.Stream):
            with stream:
                await take(stream, 6)
                raise KeyError
        else:
            async with stream:
                await take(stream, 6)
                raise KeyError


async def drop_half_read(stream: Any) -> None:
    await take(stream, 6)
    # httpx2 lets go of a dropped response by itself only here.
    await close(stream._original)


@pytest.mark.parametrize(
    "leave",
    [
        read_some_and_close,
        read_some_and_aclose,
        leave_a_with_early,
        raise_in_a_with,
        drop_half_read,
    ],
)
@pytest.mark.parametrize("content", ["", "SPAN_ONLY"])
def test_a_caller_may_leave_early_and_what_was_said_is_kept(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    leave: Callable[[Any], Any],
    content: str,
) -> None:
    instrument(content)
    deepseek.answer_next(sample("stream_thinking.sse"))

    call(stream=True, using=leave)
    gc.collect()

    span = telemetry.span
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert span.attributes["gen_ai.response.id"]
    assert "gen_ai.usage.input_tokens" not in span.attributes
    if content:
        (message,) = json.loads(span.attributes["gen_ai.output.messages"])
        assert message["finish_reason"] == "error"
        assert message["parts"][0]["content"].startswith("We need to")


def test_a_stream_dropped_unread_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def drop(stream: Any) -> None:
        await close(stream._original)

    call(stream=True, using=drop)
    gc.collect()

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes["error.type"] == "stream_abandoned"
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)


@pytest.mark.parametrize(
    ("of", "name"),
    [
        ("chat.completions", "stream_thinking.sse"),
        ("responses", "responses_stream.sse"),
    ],
)
def test_a_stream_dropped_in_a_circle_keeps_what_was_said(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    of: str,
    name: str,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample(name))

    async def circle(stream: Any) -> None:
        await take(stream, 6)
        await close(stream._original)
        ring = {"stream": stream}
        ring["ring"] = ring

    asked = {"model": "deepseek-flash", "input": "Hi"} if of == "responses" else {}
    call(of=of, stream=True, using=circle, **asked)
    gc.collect()

    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    assert message["parts"][0]["content"]


def test_a_stream_dropped_after_its_finish_reason_is_complete(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))

    async def read_to_the_finish(stream: Any) -> None:
        while not (await take(stream, 1))[0].choices[0].finish_reason:
            pass
        await close(stream._original)

    call(stream=True, using=read_to_the_finish)
    gc.collect()

    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_a_stream_that_the_server_cuts_in_silence_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_truncated.sse"))

    call(stream=True)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "the stream ended without a finish reason"
    assert span.attributes["error.type"] == "stream_cut"
    assert span.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert json.loads(span.attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Sure, here"}],
            "finish_reason": "error",
        }
    ]


def test_an_error_inside_a_stream_reaches_the_caller_and_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_error_midstream.sse"))

    with pytest.raises(openai.APIError, match="Content Exists Risk"):
        call(stream=True)

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.status.description == "Content Exists Risk"
    assert telemetry.span.attributes["error.type"] == "openai.APIError"


def test_a_cancelled_stream_is_an_error_of_that_kind(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse", pause=30))

    async def main() -> None:
        async with openai.AsyncOpenAI(
            base_url=deepseek.base_url, api_key="sk-test-1234"
        ) as client:
            stream = await client.chat.completions.create(
                model="deepseek-flash", messages=QUESTION, stream=True
            )
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(take(stream, 99), 0.2)

    asyncio.run(main())

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert (
        telemetry.span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
    )
