"""The span of a stream ends exactly once, in every way in which a stream can end."""

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
from .streams import close_stream, read_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


async def read_some_and_close(stream: Any) -> None:
    await read_chunks(stream, 6)
    await close_stream(stream)
    await close_stream(stream)


async def read_some_and_aclose(stream: Any) -> None:
    await read_chunks(stream, 6)
    await (stream.aclose() if hasattr(stream, "aclose") else close_stream(stream))


async def exit_context_manager_early(stream: Any) -> None:
    if isinstance(stream, openai.Stream):
        with stream as entered:
            assert entered is stream
            await read_chunks(stream, 6)
    else:
        async with stream as entered:
            assert entered is stream
            await read_chunks(stream, 6)


async def raise_in_context_manager(stream: Any) -> None:
    with suppress(KeyError):
        if isinstance(stream, openai.Stream):
            with stream:
                await read_chunks(stream, 6)
                raise KeyError
        else:
            async with stream:
                await read_chunks(stream, 6)
                raise KeyError


async def read_some_and_drop(stream: Any) -> None:
    await read_chunks(stream, 6)
    # httpx2 releases the connection of a dropped response only if it is closed.
    await close_stream(stream._original)


@pytest.mark.parametrize(
    "exit_stream",
    [
        read_some_and_close,
        read_some_and_aclose,
        exit_context_manager_early,
        raise_in_context_manager,
        read_some_and_drop,
    ],
)
@pytest.mark.parametrize("content", ["", "SPAN_ONLY"])
def test_stream_left_early_has_unset_status_and_partial_output(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    exit_stream: Callable[[Any], Any],
    content: str,
) -> None:
    instrument(content)
    deepseek.answer_next(sample("stream_thinking.sse"))

    call(stream=True, consume=exit_stream)
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


def test_stream_dropped_unread_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def drop(stream: Any) -> None:
        await close_stream(stream._original)

    call(stream=True, consume=drop)
    gc.collect()

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes["error.type"] == "stream_abandoned"
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("chat.completions", "stream_thinking.sse"),
        ("responses", "responses_stream.sse"),
    ],
)
def test_stream_dropped_in_a_reference_cycle_has_partial_output(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    resource: str,
    name: str,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample(name))

    async def drop_in_cycle(stream: Any) -> None:
        await read_chunks(stream, 6)
        await close_stream(stream._original)
        cycle = {"stream": stream}
        cycle["self"] = cycle

    arguments = (
        {"model": "deepseek-flash", "input": "Hi"} if resource == "responses" else {}
    )
    call(resource=resource, stream=True, consume=drop_in_cycle, **arguments)
    gc.collect()

    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    assert message["parts"][0]["content"]


def test_stream_dropped_after_its_finish_reason_is_complete(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))

    async def read_to_finish_reason(stream: Any) -> None:
        while not (await read_chunks(stream, 1))[0].choices[0].finish_reason:
            pass
        await close_stream(stream._original)

    call(stream=True, consume=read_to_finish_reason)
    gc.collect()

    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_stream_cut_by_the_server_is_an_error(
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


def test_error_event_in_a_stream_is_raised_and_recorded(
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


def test_cancelled_stream_has_error_type_cancelled(
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
                await asyncio.wait_for(read_chunks(stream, 99), 0.2)

    asyncio.run(main())

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert (
        telemetry.span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
    )
