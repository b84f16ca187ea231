"""Streams: one span from the request to the last event, however the stream is left."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from opentelemetry.trace import StatusCode

from examples.simulator import Simulator
from tests.instrumentation.attributes import content

from .attributes import STREAM as STREAM_ATTRIBUTES
from .bodies import END, EVENTS, START, STREAM, TEXT_EVENTS, block_events
from .conftest import make_client, recorded_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.instrumentation.conftest import Telemetry

ANSWER = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "We count."},
            {"type": "text", "content": "Three."},
        ],
        "finish_reason": "stop",
    }
]


async def await_if_awaitable(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


def is_async(manager: Any) -> bool:
    # By its class: a wrapper of another instrumentation has all methods.
    return "Async" in manager.__class__.__name__


async def enter(manager: Any) -> Any:
    if is_async(manager):
        return await manager.__aenter__()
    return manager.__enter__()


async def leave(manager: Any) -> None:
    if is_async(manager):
        await manager.__aexit__(None, None, None)
    else:
        manager.__exit__(None, None, None)


async def read(iterator: Any, count: int = 10**6) -> list[Any]:
    items: list[Any] = []
    if is_async(iterator) or isinstance(iterator, AsyncGenerator):
        async for item in iterator:
            items.append(item)
            if len(items) == count:
                break
    else:
        for item in iterator:
            items.append(item)
            if len(items) == count:
                break
    return items


def in_manager(use: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def consume(manager: Any) -> Any:
        stream = await enter(manager)
        try:
            return await use(stream)
        finally:
            await leave(manager)

    return consume


async def read_text(stream: Any) -> Any:
    assert "".join(await read(stream.text_stream)) == "Three."


async def read_final_message(stream: Any) -> Any:
    message = await await_if_awaitable(stream.get_final_message())
    assert message.content[1].text == "Three."


@pytest.mark.parametrize("beta", ["", "beta."])
@pytest.mark.parametrize("use", [read, read_text, read_final_message])
def test_stream_manager_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    beta: str,
    use: Callable[[Any], Any],
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(recorded_events(EVENTS))

    call(f"{beta}messages.stream", consume=in_manager(use))

    attributes = dict(telemetry.span.attributes)
    assert content(telemetry, "output.messages") == ANSWER
    del attributes["gen_ai.input.messages"], attributes["gen_ai.output.messages"]
    assert attributes == STREAM_ATTRIBUTES


@pytest.mark.parametrize("beta", ["", "beta."])
def test_stream_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    beta: str,
) -> None:
    instrument()
    deepseek.answer_next(recorded_events(EVENTS))

    events = call(f"{beta}messages.create", stream=True)

    assert [event.type for event in events] == [
        event["type"] for event in EVENTS if event["type"] != "ping"
    ]
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert telemetry.span.attributes == STREAM_ATTRIBUTES


def test_streamed_tool_call_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    use = {"type": "tool_use", "id": "call_00_a", "name": "get_weather", "input": {}}
    search = {
        "type": "server_tool_use",
        "id": "srv",
        "name": "web_search",
        "input": {"query": "x"},
    }
    delta = {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 9, "server_tool_use": {"web_search_requests": 1}},
    }
    deepseek.answer_next(
        recorded_events(
            [
                START,
                *block_events(0, search),
                *block_events(
                    1,
                    use,
                    {"type": "input_json_delta", "partial_json": '{"city"'},
                    {"type": "input_json_delta", "partial_json": ': "Paris"}'},
                ),
                delta,
                END[1],
            ]
        )
    )

    call(stream=True)

    attributes = telemetry.span.attributes
    assert attributes["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert attributes["gen_ai.usage.input_tokens"] == 97
    assert attributes["gen_ai.usage.output_tokens"] == 9
    assert attributes["deepseek.usage.web_search_requests"] == 1
    assert "deepseek.response.time_to_first_answer" in attributes
    assert content(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "server_tool_call",
                    "id": "srv",
                    "name": "web_search",
                    "server_tool_call": {"type": "web_search", "input": {"query": "x"}},
                },
                {
                    "type": "tool_call",
                    "id": "call_00_a",
                    "name": "get_weather",
                    "arguments": {"city": "Paris"},
                },
            ],
            "finish_reason": "tool_call",
        }
    ]


async def read_some_and_close(stream: Any) -> None:
    await read(stream, 6)
    await await_if_awaitable(stream.close())
    await await_if_awaitable(stream.close())


async def raise_in_context_manager(stream: Any) -> None:
    with suppress(KeyError):
        await enter(stream)
        try:
            await read(stream, 6)
            raise KeyError
        finally:
            await leave(stream)


async def read_some_and_drop(stream: Any) -> None:
    await read(stream, 6)
    # Releases the connection. The wrapper is dropped without being closed.
    await await_if_awaitable(stream._original.close())


@pytest.mark.parametrize(
    "exit_stream", [read_some_and_close, raise_in_context_manager, read_some_and_drop]
)
def test_stream_left_early_has_unset_status_and_partial_output(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    exit_stream: Callable[[Any], Any],
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(recorded_events(EVENTS))

    call(stream=True, consume=exit_stream)
    gc.collect()

    assert_is_partial(telemetry)


@pytest.mark.parametrize("use", [lambda stream: read(stream, 8)])
def test_manager_left_early_has_unset_status_and_partial_output(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    use: Callable[[Any], Any],
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(recorded_events(EVENTS))

    call("messages.stream", consume=in_manager(use))

    assert_is_partial(telemetry)


def assert_is_partial(telemetry: Telemetry) -> None:
    span = telemetry.span
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert span.attributes["gen_ai.usage.input_tokens"] == 97
    # `message_start` has 0, which is not the count.
    assert "gen_ai.usage.output_tokens" not in span.attributes
    (message,) = content(telemetry, "output.messages")
    assert message["finish_reason"] == "error"
    assert message["parts"][0]["content"].startswith("We ")


def test_manager_that_is_never_entered_has_no_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    client = make_client("Anthropic", deepseek.base_url, telemetry)

    client.messages.stream(
        model="m", max_tokens=1, messages=[{"role": "user", "content": ""}]
    )

    assert telemetry.spans == []
    assert deepseek.exchanges == []
    client.close()


def test_stream_dropped_unread_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(recorded_events(EVENTS))

    async def drop(stream: Any) -> None:
        await await_if_awaitable(stream._original.close())

    call(stream=True, consume=drop)
    gc.collect()

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes["error.type"] == "stream_abandoned"


@pytest.mark.parametrize("events", [STREAM, (START, *TEXT_EVENTS)])
def test_stream_cut_by_the_server_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    events: Any,
) -> None:
    instrument()
    deepseek.answer_next(recorded_events(events))

    call(stream=True)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "stream_cut"
    assert span.attributes["gen_ai.response.finish_reasons"] == ("error",)


def test_error_event_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.fail_next("error after=3")

    with pytest.raises(anthropic.APIStatusError):
        call(stream=True)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "Content Exists Risk"
    assert span.attributes["error.type"] == "invalid_request_error"
    assert content(telemetry, "output.messages")[0]["parts"]


def test_broken_connection_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.fail_next("drop after=3")

    with pytest.raises(Exception, match=r".+") as raised:
        call(stream=True)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"].endswith(type(raised.value).__name__)


def test_stream_is_not_read_before_the_application_reads(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(recorded_events(EVENTS))

    with make_client("Anthropic", deepseek.base_url, telemetry) as client:
        stream = client.messages.create(
            model="deepseek-flash",
            max_tokens=10,
            messages=[{"role": "user", "content": "?"}],
            stream=True,
        )
        assert stream.__class__ is anthropic.Stream
        assert not stream.response.is_stream_consumed
        assert next(stream).type == "message_start"
        assert telemetry.spans == []
        assert len(list(stream)) == len(EVENTS) - 2
        assert telemetry.span


def test_span_is_not_current_while_the_application_reads(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def start_span(stream: Any) -> None:
        with tracer.start_as_current_span("app"):
            await read(stream, 3)
        await await_if_awaitable(stream.close())

    call(stream=True, consume=start_span)

    app, chat = telemetry.spans
    assert (app.name, app.parent) == ("app", None)
    assert chat.parent is None


def test_cancelled_tasks_end_their_spans(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    """A thousand tasks, of which a third are cancelled: some before their request."""
    instrument("SPAN_ONLY")

    async def run(client: Any, number: int) -> None:
        arguments: dict[str, Any] = {
            "model": "deepseek-flash",
            "max_tokens": 5,
            "messages": [{"role": "user", "content": f"number {number}"}],
        }
        if number % 2:
            await client.messages.create(**arguments)
        else:
            async with client.messages.stream(**arguments) as stream:
                await stream.get_final_message()

    async def run_batch(client: Any, numbers: range) -> None:
        tasks = [asyncio.create_task(run(client, number)) for number in numbers]
        await asyncio.sleep(0.02)
        for task in tasks[::3]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(
            isinstance(result, asyncio.CancelledError) for result in results[::3]
        )
        assert [*results[1::3], *results[2::3]] == [None] * 66

    async def main() -> None:
        async with make_client("AsyncAnthropic", slow.base_url, telemetry) as client:
            for start in range(0, 1000, 100):
                await run_batch(client, range(start, start + 100))

    with Simulator(faults="slow=0.3") as slow:
        asyncio.run(main())
    gc.collect()

    errors = [
        span.attributes["error.type"]
        for span in telemetry.spans
        if span.status.status_code is StatusCode.ERROR
    ]
    assert set(errors) == {"asyncio.exceptions.CancelledError"}
    assert len(telemetry.spans) - len(errors) == 660
    assert 0 < len(errors) <= 340


def test_text_of_a_block_without_its_start_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    block = {"type": "text", "text": None}
    delta = {"type": "text_delta", "text": "Thr"}
    events = [START, *block_events(0, block, delta), *END]
    deltas = [event for event in events if event["type"] != "content_block_start"]
    instrument("SPAN_ONLY")
    for sent in (events, deltas):
        deepseek.answer_next(recorded_events(sent))
        with suppress(Exception):  # the SDK needs the start of a block
            call(stream=True)
    assert telemetry.spans
    for span in telemetry.spans:
        assert '"content":"Thr"' in span.attributes["gen_ai.output.messages"]
