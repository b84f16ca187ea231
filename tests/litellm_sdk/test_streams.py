"""litellm's streams: nothing about them changes, and each ends its span."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse
from tests.instrumentation.conftest import SAMPLES

from .conftest import KEY, MODEL, QUESTION, litellm, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry


def test_stream_is_litellms(
    instrument: Callable[..., None], call: Callable[..., Any], deepseek: Simulator
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    def inspect(stream: Any) -> Any:
        assert isinstance(stream, litellm.CustomStreamWrapper)
        assert stream.model == "deepseek-flash"
        assert stream.custom_llm_provider == "deepseek"
        assert stream._hidden_params
        assert stream.chunks == []
        assert hasattr(stream, "__next__")
        assert hasattr(stream, "__anext__")
        assert iter(stream) is stream
        assert aiter(stream) is stream
        return stream.close()

    call(stream=True, consume=inspect)


def test_span_of_dropped_stream_ends(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    async def read_one(stream: Any) -> None:
        await anext(stream)

    call(stream=True, consume=next if kind == "sync" else read_one)
    gc.collect()

    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)


def test_span_of_unread_stream_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))
    call(stream=True, consume=lambda stream: None)
    gc.collect()
    assert telemetry.span.attributes["error.type"] == "stream_abandoned"


def test_span_of_closed_stream_ends(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))
    kept = []

    def close(stream: Any) -> None:
        kept.append(stream)
        next(stream)
        stream.close()

    async def close_async(stream: Any) -> None:
        kept.append(stream)
        async with stream:
            await anext(stream)

    call(stream=True, consume=close if kind == "sync" else close_async)

    assert telemetry.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", ["sync"])
def test_span_ends_with_the_context_of_its_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))
    stream = call(stream=True, consume=lambda stream: stream)
    with stream as same_stream:
        assert same_stream is stream
        next(stream)
    assert telemetry.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", ["sync"])
def test_span_ends_if_its_stream_cannot_be_closed(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def close(_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(litellm.CustomStreamWrapper, "close", close)
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))
    stream = call(stream=True, consume=lambda stream: stream)
    with pytest.raises(ConnectionError):
        stream.close()
    assert telemetry.span


@pytest.mark.parametrize("kind", ["sync"])
def test_method_that_another_package_replaces_is_called(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))
    stream = call(stream=True, consume=lambda stream: stream)
    close, calls = stream.close, []

    def replaced() -> None:
        calls.append("replaced")
        close()

    stream.close = replaced
    stream.close()
    assert calls == ["replaced"]


@pytest.mark.parametrize("fault", ["cut", "error"])
def test_broken_stream_has_one_span_with_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    fault: str,
) -> None:
    instrument()
    events = sample("stream_thinking.sse").parts[:3]
    if fault == "error":
        events.append(b'data: {"error": {"message": "Content Exists Risk"}}\n\n')
    deepseek.answer_next(
        RecordedResponse(
            headers={"content-type": "text/event-stream"}, body=b"".join(events)
        )
    )

    with suppress(litellm.APIError, litellm.exceptions.MidStreamFallbackError):
        call(stream=True)

    assert telemetry.span.status.status_code is StatusCode.ERROR


def test_cancelled_tasks_end_their_spans_with_error(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    instrument("SPAN_ONLY")
    events = (SAMPLES / "stream_thinking.sse").read_bytes().partition(b"data: [DONE]")
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    head += b"connection: close\r\n\r\n"

    async def respond(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Any:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(head + events[0])
        if b"x-hang: yes" in request.lower():
            await reader.read()  # until the client disconnects
        writer.write(b"".join(events[1:]))
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()

            async def read_stream(hang: bool) -> int:
                stream = await litellm.acompletion(
                    model=MODEL,
                    messages=QUESTION,
                    api_base=f"http://{host}:{port}",
                    api_key=KEY,
                    stream=True,
                    extra_headers={"x-hang": "yes" if hang else "no"},
                )
                return len([chunk async for chunk in stream])

            tasks = [asyncio.create_task(read_stream(i % 3 == 0)) for i in range(1000)]
            finishing = [task for i, task in enumerate(tasks) if i % 3]
            assert len(set(await asyncio.gather(*finishing))) == 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())

    assert Counter(span.attributes.get("error.type") for span in telemetry.spans) == {
        None: 666,
        "asyncio.exceptions.CancelledError": 334,
    }
    assert {span.parent for span in telemetry.spans} == {None}
