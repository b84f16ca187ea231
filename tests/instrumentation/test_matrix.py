"""Every operation, client and end of a call, with and without content capture.

Each call has exactly one span, which ends once and has the right status.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import openai
import pytest
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse

from .conftest import CHAT, sample
from .stream_exits import STREAM_EXITS, await_if_awaitable, iterate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

FIM = {"model": "deepseek-v4-pro", "prompt": "def f("}
RESPONSE = {"model": "deepseek-flash", "input": "Hi"}


class Operation(NamedTuple):
    resource: str
    arguments: dict[str, Any]
    whole_sample: str
    stream_sample: str


OPERATIONS = {
    "chat": Operation(
        "chat.completions", CHAT, "chat_thinking.json", "stream_thinking.sse"
    ),
    "fim": Operation("completions", FIM, "fim.json", "fim.sse"),
    "responses": Operation(
        "responses", RESPONSE, "responses.json", "responses_stream.sse"
    ),
}


def status_of_only_span(telemetry: Telemetry) -> StatusCode:
    gc.collect(1)  # young objects only; a full collection takes much longer
    span = telemetry.span
    assert span.end_time
    assert ("error.type" in span.attributes) == (
        span.status.status_code is StatusCode.ERROR
    )
    return span.status.status_code


@pytest.fixture(params=["", "SPAN_ONLY"])
def content(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("raw", ["", "with_raw_response."])
@pytest.mark.parametrize("exit_stream", STREAM_EXITS)
def test_stream_ends_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    raw: str,
    exit_stream: Callable[[Any], Awaitable[StatusCode]],
) -> None:
    instrument(content)
    operation = OPERATIONS[name]
    deepseek.answer_next(sample(operation.stream_sample))

    async def consume(result: Any) -> StatusCode:
        if raw:
            result = await await_if_awaitable(result.parse())
        return await exit_stream(result)

    status = call(
        f"{raw}create",
        resource=operation.resource,
        stream=True,
        consume=consume,
        **operation.arguments,
    )

    assert status_of_only_span(telemetry) is status


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("fault", ["cut", "error"])
def test_broken_stream_ends_one_span_with_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    fault: str,
) -> None:
    instrument(content)
    operation = OPERATIONS[name]
    events = sample(operation.stream_sample).parts[:3]
    if fault == "error":
        events.append(b'data: {"error": {"message": "Content Exists Risk"}}\n\n')
    deepseek.answer_next(
        RecordedResponse(
            headers={"content-type": "text/event-stream"}, body=b"".join(events)
        )
    )

    with suppress(openai.APIError):
        call(resource=operation.resource, stream=True, **operation.arguments)

    assert status_of_only_span(telemetry) is StatusCode.ERROR


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("how", ["create", "raw", "raw unparsed", "streamed unread"])
def test_whole_response_ends_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    how: str,
) -> None:
    instrument(content)
    operation = OPERATIONS[name]
    deepseek.answer_next(sample(operation.whole_sample))

    async def consume(result: Any) -> None:
        if how == "raw":
            await await_if_awaitable(result.parse())
        elif how == "streamed unread":
            if client_class == "OpenAI":
                with result:
                    pass
            else:
                async with result:
                    pass

    method = {
        "create": "create",
        "raw": "with_raw_response.create",
        "raw unparsed": "with_raw_response.create",
        "streamed unread": "with_streaming_response.create",
    }[how]
    call(method, resource=operation.resource, consume=consume, **operation.arguments)

    assert status_of_only_span(telemetry) is StatusCode.UNSET


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("method", ["create", "with_raw_response.create"])
def test_rejected_call_ends_one_span_with_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    method: str,
) -> None:
    instrument(content)
    operation = OPERATIONS[name]
    deepseek.answer_next(sample("error_503.json"))

    with pytest.raises(openai.InternalServerError):
        call(method, resource=operation.resource, **operation.arguments)

    assert status_of_only_span(telemetry) is StatusCode.ERROR


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("when", ["waiting", "reading"])
def test_cancelled_call_ends_one_span_with_error(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    when: str,
) -> None:
    instrument(content)
    operation = OPERATIONS[name]
    deepseek.answer_next(sample(operation.stream_sample, pause=30))

    async def never_respond(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(
            never_respond, "127.0.0.1", 0
        ) as silent_server:
            host, port = silent_server.sockets[0].getsockname()
            client = openai.AsyncOpenAI(
                base_url=f"http://{host}:{port}"
                if when == "waiting"
                else deepseek.base_url,
                api_key="sk-test-1234",
                http_client=openai.DefaultAsyncHttpxClient(verify=False),
            )
            target: Any = client
            async with client:
                for part in operation.resource.split("."):
                    target = getattr(target, part)

                async def read_stream() -> None:
                    await iterate(
                        await target.create(**operation.arguments, stream=True)
                    )

                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(read_stream(), 0.3)

    asyncio.run(main())

    assert status_of_only_span(telemetry) is StatusCode.ERROR
    assert (
        telemetry.span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
    )
