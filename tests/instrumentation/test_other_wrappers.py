"""Streams and raw responses that another instrumentation also wraps or changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
import wrapt

from .conftest import CHAT, sample

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from examples.simulator import Simulator

    from .conftest import Telemetry


@pytest.fixture
async def async_create(
    monkeypatch: pytest.MonkeyPatch,
    instrument: Callable[..., None],
    deepseek: Simulator,
) -> AsyncIterator[Callable[..., Any]]:
    """`create` of an async client whose streams another instrumentation wraps.

    The wrapper is a `wrapt.ObjectProxy`, which has the methods of iterators and of
    asynchronous iterators.
    """
    resource = openai.resources.chat.completions.AsyncCompletions
    original = resource.create

    async def create(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapt.ObjectProxy(await original(self, *args, **kwargs))

    monkeypatch.setattr(resource, "create", create)
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))
    async with openai.AsyncOpenAI(base_url=deepseek.base_url, api_key="any") as client:
        yield client.chat.completions.create


async def test_async_stream_in_a_proxy_with_both_protocols_is_iterated(
    async_create: Callable[..., Any], telemetry: Telemetry
) -> None:
    stream = await async_create(**CHAT, stream=True)
    assert [chunk async for chunk in stream]
    assert telemetry.span.status.is_ok


async def test_async_stream_in_a_proxy_with_both_protocols_is_a_context_manager(
    async_create: Callable[..., Any], telemetry: Telemetry
) -> None:
    async with await async_create(**CHAT, stream=True) as stream:
        assert await anext(stream)
    assert telemetry.span.status.is_ok


async def test_async_stream_in_a_proxy_with_both_protocols_is_closed(
    async_create: Callable[..., Any], telemetry: Telemetry
) -> None:
    stream = await async_create(**CHAT, stream=True)
    assert await anext(aiter(stream))
    await stream.close()
    assert telemetry.span.status.is_ok


class CloseCounter:
    """Replaces `close` of a stream, as Langfuse does, and counts its calls."""

    def __init__(self, stream: Any) -> None:
        self.count = 0
        self._close = stream.close
        stream.close = self.aclose if hasattr(stream, "__anext__") else self.close

    def close(self) -> None:
        self.count += 1
        self._close()

    async def aclose(self) -> None:
        self.count += 1
        await self._close()


@pytest.fixture
def client(
    instrument: Callable[..., None], deepseek: Simulator
) -> Iterator[openai.OpenAI]:
    instrument()
    with openai.OpenAI(base_url=deepseek.base_url, api_key="any") as client:
        yield client


@pytest.fixture
async def async_client(
    instrument: Callable[..., None], deepseek: Simulator
) -> AsyncIterator[openai.AsyncOpenAI]:
    instrument()
    async with openai.AsyncOpenAI(base_url=deepseek.base_url, api_key="any") as client:
        yield client


def test_close_can_be_replaced(client: openai.OpenAI, telemetry: Telemetry) -> None:
    stream = client.chat.completions.create(**CHAT, stream=True)
    counter = CloseCounter(stream)
    next(stream)
    stream.close()
    assert counter.count == 1
    assert stream.response.is_closed
    assert telemetry.span.status.is_ok


def test_context_manager_calls_a_replaced_close(
    client: openai.OpenAI, telemetry: Telemetry
) -> None:
    with client.chat.completions.create(**CHAT, stream=True) as stream:
        counter = CloseCounter(stream)
        next(stream)
    assert counter.count == 1
    assert stream.response.is_closed
    assert telemetry.span.status.is_ok


async def test_close_of_an_async_stream_can_be_replaced(
    async_client: openai.AsyncOpenAI, telemetry: Telemetry
) -> None:
    async with await async_client.chat.completions.create(
        **CHAT, stream=True
    ) as stream:
        counter = CloseCounter(stream)
        await anext(stream)
    assert counter.count == 1
    await stream.close()
    assert counter.count == 2
    assert telemetry.span.status.is_ok


async def test_aclose_of_an_async_stream_can_be_replaced(
    async_client: openai.AsyncOpenAI,
) -> None:
    stream = await async_client.chat.completions.create(**CHAT, stream=True)
    counter = CloseCounter(stream)
    stream.aclose = counter.aclose
    assert stream.aclose == counter.aclose
    await stream.aclose()
    assert counter.count == 1
    assert stream.response.is_closed


def test_replaced_method_can_be_deleted(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(**CHAT, stream=True)
    counter = CloseCounter(stream)
    del stream.close
    stream.close()
    assert counter.count == 0
    assert stream.response.is_closed


def test_parse_of_a_raw_response_can_be_replaced(
    client: openai.OpenAI, telemetry: Telemetry
) -> None:
    create = client.chat.completions.with_streaming_response.create
    with create(**CHAT, stream=True) as response:
        parse, calls = response.parse, []

        def traced_parse(**options: Any) -> Any:
            calls.append(options)
            return parse(**options)

        response.parse = traced_parse
        assert list(response.parse())
    assert calls == [{}]
    assert telemetry.span.status.is_ok
