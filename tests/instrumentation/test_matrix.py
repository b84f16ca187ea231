"""Every kind of call, with either client, left in every way, content on and off:
exactly one span, ended once, with the right status."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import openai
import pytest

from examples.simulator import Recorded

from .conftest import CHAT, sample
from .leaving import FAILED, LEAVINGS, OK, chunks, maybe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from opentelemetry.trace import StatusCode

    from examples.simulator import Simulator

    from .conftest import Telemetry

FIM = {"model": "deepseek-v4-pro", "prompt": "def f("}
RESPONSE = {"model": "deepseek-flash", "input": "Hi"}


class Kind(NamedTuple):
    of: str
    arguments: dict[str, Any]
    whole: str
    stream: str


KINDS = {
    "chat": Kind("chat.completions", CHAT, "chat_thinking.json", "stream_thinking.sse"),
    "fim": Kind("completions", FIM, "fim.json", "fim.sse"),
    "responses": Kind("responses", RESPONSE, "responses.json", "responses_stream.sse"),
}


def only(telemetry: Telemetry) -> StatusCode:
    gc.collect(1)  # the young; all of the heap would take longest
    span = telemetry.span
    assert span.end_time
    assert ("error.type" in span.attributes) == (span.status.status_code is FAILED)
    return span.status.status_code


@pytest.fixture(params=["", "SPAN_ONLY"])
def content(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("raw", ["", "with_raw_response."])
@pytest.mark.parametrize("leave", LEAVINGS)
def test_a_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    raw: str,
    leave: Callable[[Any], Awaitable[StatusCode]],
) -> None:
    instrument(content)
    kind = KINDS[name]
    deepseek.answer_next(sample(kind.stream))

    async def used(answer: Any) -> StatusCode:
        return await leave(await maybe(answer.parse()) if raw else answer)

    status = call(f"{raw}create", of=kind.of, stream=True, using=used, **kind.arguments)

    assert only(telemetry) is status


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fault", ["cut", "error"])
def test_a_stream_that_breaks(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    fault: str,
) -> None:
    instrument(content)
    kind = KINDS[name]
    events = sample(kind.stream).parts[:3]
    if fault == "error":
        events.append(b'data: {"error": {"message": "Content Exists Risk"}}\n\n')
    deepseek.answer_next(
        Recorded(headers={"content-type": "text/event-stream"}, body=b"".join(events))
    )

    with suppress(openai.APIError):
        call(of=kind.of, stream=True, **kind.arguments)

    assert only(telemetry) is FAILED


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("how", ["create", "raw", "raw unparsed", "streamed unread"])
def test_a_whole_answer(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    how: str,
) -> None:
    instrument(content)
    asked = KINDS[name]
    deepseek.answer_next(sample(asked.whole))

    async def used(answer: Any) -> None:
        if how == "raw":
            await maybe(answer.parse())
        elif how == "streamed unread":
            if kind == "OpenAI":
                with answer:
                    pass
            else:
                async with answer:
                    pass

    method = {
        "create": "create",
        "raw": "with_raw_response.create",
        "raw unparsed": "with_raw_response.create",
        "streamed unread": "with_streaming_response.create",
    }[how]
    call(method, of=asked.of, using=used, **asked.arguments)

    assert only(telemetry) is OK


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("method", ["create", "with_raw_response.create"])
def test_a_refused_call(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    method: str,
) -> None:
    instrument(content)
    asked = KINDS[name]
    deepseek.answer_next(sample("error_503.json"))

    with pytest.raises(openai.InternalServerError):
        call(method, of=asked.of, **asked.arguments)

    assert only(telemetry) is FAILED


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("when", ["waiting", "reading"])
def test_a_cancelled_call(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    name: str,
    when: str,
) -> None:
    instrument(content)
    asked = KINDS[name]
    deepseek.answer_next(sample(asked.stream, pause=30))

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(hang, "127.0.0.1", 0) as silent:
            host, port = silent.sockets[0].getsockname()
            client = openai.AsyncOpenAI(
                base_url=f"http://{host}:{port}"
                if when == "waiting"
                else deepseek.base_url,
                api_key="sk-test-1234",
                http_client=openai.DefaultAsyncHttpxClient(verify=False),
            )
            target: Any = client
            async with client:
                for part in asked.of.split("."):
                    target = getattr(target, part)

                async def use() -> None:
                    await chunks(await target.create(**asked.arguments, stream=True))

                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(use(), 0.3)

    asyncio.run(main())

    assert only(telemetry) is FAILED
    assert (
        telemetry.span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
    )
