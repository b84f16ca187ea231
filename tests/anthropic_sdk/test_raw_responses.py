"""Raw responses: the application reads the body as it likes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from tests.instrumentation.attributes import TRACE_ID

from .attributes import ANSWER, STREAM
from .bodies import EVENTS, encoded, sse
from .conftest import recorded, recorded_events
from .test_streams import await_if_awaitable, enter, leave, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

RAW = "messages.with_raw_response.create"
STREAMING = "messages.with_streaming_response.create"


@pytest.mark.parametrize("parses", [True, False])
def test_raw_response_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    parses: bool,
) -> None:
    instrument()
    deepseek.answer_next(recorded(encoded()))

    async def consume(response: Any) -> None:
        if parses:
            message = await await_if_awaitable(response.parse())
            assert message.content[1].text == "Three."
        assert response.http_response.content == encoded()

    call(RAW, consume=consume)

    assert telemetry.span.attributes == {**ANSWER, **TRACE_ID}


async def parse_stream(response: Any) -> None:
    stream = await await_if_awaitable(response.parse())
    assert await await_if_awaitable(response.parse()) is stream
    assert len(await read(stream)) == len(EVENTS) - 1


async def read_lines(response: Any) -> None:
    lines = await read(aiter(response) if hasattr(response, "__aiter__") else response)
    assert lines


def test_raw_response_of_a_stream_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(recorded_events(EVENTS))

    call(RAW, stream=True, consume=parse_stream)

    assert telemetry.span.attributes == STREAM


async def read_json(response: Any) -> None:
    body = await await_if_awaitable(response.json())
    assert body == json.loads(encoded())


async def read_bytes(response: Any) -> None:
    assert await await_if_awaitable(response.read()) == encoded()


async def read_message(response: Any) -> None:
    message = await await_if_awaitable(response.parse())
    assert message.content[1].text == "Three."


@pytest.mark.parametrize("use", [read_json, read_bytes, read_message])
def test_streaming_response_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    use: Callable[[Any], Any],
) -> None:
    instrument()
    deepseek.answer_next(recorded(encoded()))

    async def consume(manager: Any) -> None:
        await use(await enter(manager))
        await leave(manager)

    call(STREAMING, consume=consume)

    assert telemetry.span.attributes == {**ANSWER, **TRACE_ID}


async def iterate_lines(response: Any) -> None:
    lines = await read(response.iter_lines())
    assert lines == sse(EVENTS).decode().splitlines()


async def iterate_bytes(response: Any) -> None:
    assert b"".join(await read(response.iter_bytes(7))) == sse(EVENTS)


async def iterate_events(response: Any) -> None:
    stream = await await_if_awaitable(response.parse())
    assert len(await read(stream)) == len(EVENTS) - 1


@pytest.mark.parametrize("use", [iterate_lines, iterate_bytes, iterate_events])
def test_streaming_response_of_a_stream_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    use: Callable[[Any], Any],
) -> None:
    instrument()
    deepseek.answer_next(recorded_events(EVENTS))

    async def consume(manager: Any) -> None:
        await use(await enter(manager))
        await leave(manager)

    call(STREAMING, stream=True, consume=consume)

    assert telemetry.span.attributes == STREAM


def test_response_closed_unread_has_unset_status(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()

    async def consume(manager: Any) -> None:
        await enter(manager)
        await leave(manager)

    call(STREAMING, consume=consume)

    assert telemetry.span.status.status_code is StatusCode.UNSET


def test_error_in_a_raw_stream_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.fail_next("error after=3")

    async def consume(manager: Any) -> None:
        await read((await enter(manager)).iter_lines())
        await leave(manager)

    call(STREAMING, stream=True, consume=consume)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "Content Exists Risk"
    assert span.attributes["error.type"] == "invalid_request_error"
