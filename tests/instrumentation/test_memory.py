"""Memory and life cycle: repeated and late `instrument()`, suppression, and leaks."""

from __future__ import annotations

import asyncio
import gc
import inspect
import tracemalloc
import weakref
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.completions import AsyncCompletions as AsyncTextCompletions
from openai.resources.completions import Completions as TextCompletions
from openai.resources.responses import AsyncResponses, Responses
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .conftest import CHAT, read_all, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

CLASSES = (
    Completions,
    AsyncCompletions,
    TextCompletions,
    AsyncTextCompletions,
    Responses,
    AsyncResponses,
)


def sdk_methods() -> list[tuple[type, str, Any]]:
    return [(c, name, m) for c in CLASSES for name, m in vars(c).items() if callable(m)]


async def await_and_read_all(result: Any) -> Any:
    """Reads the result of a method of either client to its end."""
    if inspect.isawaitable(result):
        result = await result
    read = read_all(result)
    return await read if inspect.isawaitable(read) else read


def test_existing_client_is_instrumented_from_then_on(
    instrument: Callable[..., None],
    client_class: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    deepseek.answer_next(sample("stream_plain.sse"), times=3)

    async def main() -> None:
        client = getattr(openai, client_class)(
            base_url=deepseek.base_url, api_key="none"
        )
        completions = client.chat.completions
        open_stream = completions.create(**CHAT, stream=True)
        await await_and_read_all(completions.create(**CHAT, stream=True))
        instrument()
        await await_and_read_all(completions.create(**CHAT, stream=True))
        await await_and_read_all(open_stream)  # started before instrument()
        closing = client.close()
        await closing if inspect.isawaitable(closing) else closing

    asyncio.run(main())

    # The asynchronous client sends the request of `open_stream` when it is awaited, and
    # that is after instrument(). It is recorded as a request of httpx.
    assert len(telemetry.spans) == (2 if client_class == "AsyncOpenAI" else 1)
    for span in telemetry.spans:
        assert span.attributes["gen_ai.usage.input_tokens"] > 0


def test_second_instrument_makes_no_second_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = sdk_methods()
    instrument()
    instrument()
    assert caplog.messages == []
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert len(telemetry.spans) == 1

    DeepSeekInstrumentor().uninstrument()
    after = sdk_methods()
    assert all(a[2] is b[2] for a, b in zip(after, before, strict=True))


def test_repeated_instrument_and_uninstrument_leaks_no_objects(
    telemetry: Telemetry,
) -> None:
    before = sdk_methods()

    def instrument_repeatedly() -> int:
        for _ in range(500):
            DeepSeekInstrumentor().instrument(
                tracer_provider=telemetry.tracer_provider,
                meter_provider=telemetry.meter_provider,
            )
            DeepSeekInstrumentor().uninstrument()
        gc.collect()
        return len(gc.get_objects())

    # Objects and not bytes, because CPython's cache of attribute names grows.
    assert -instrument_repeatedly() + instrument_repeatedly() < 50
    after = sdk_methods()
    assert all(a[2] is b[2] for a, b in zip(after, before, strict=True))


def memory_growth(work: Callable[[], object]) -> int:
    """Returns the bytes that `work` does not free, after a first run to warm up.

    It is the lower of two measurements, because threads of the server may allocate.
    """
    work()
    return min(_memory_growth(work) for _ in range(2))


def _memory_growth(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("stream", [False, True])
def test_calls_leak_no_memory(
    instrument: Callable[..., None], deepseek: Simulator, stream: bool
) -> None:
    # The providers of the fixture would collect spans.
    meter_provider = MeterProvider(metric_readers=[InMemoryMetricReader()])
    name = "stream_thinking.sse" if stream else "chat_thinking.json"
    deepseek.answer_next(sample(name), times=300)

    with openai.OpenAI(base_url=deepseek.base_url, api_key="none") as client:

        def call() -> None:
            for _ in range(50):
                result = client.chat.completions.create(**CHAT, stream=stream)
                if stream:
                    list(result)

        # Not 0 without instrumentation: the server, in this process, stores requests.
        baseline = memory_growth(call)
        instrument(
            "SPAN_ONLY",
            tracer_provider=TracerProvider(),
            meter_provider=meter_provider,
        )
        assert memory_growth(call) - baseline < 16 * 1024


@pytest.mark.parametrize("stream_exit", ["read", "drop", "close"])
def test_released_stream_response_and_chunk_are_freed(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream_exit: str,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse"))
    references: list[weakref.ref[Any]] = []

    async def consume(stream: Any) -> None:
        references.append(weakref.ref(stream))
        if stream_exit != "drop":
            # The response of a dropped stream may stay even without instrumentation: on
            # Python 3.11 asyncio cannot close httpx's generators, and logs an error
            # that holds them.
            references.append(weakref.ref(stream.response))
        if stream_exit == "read":
            await await_and_read_all(stream)
        else:
            chunk = next(stream) if hasattr(stream, "__next__") else await anext(stream)
            references.append(weakref.ref(chunk))
            closing = stream.close() if stream_exit == "close" else None
            await closing if inspect.isawaitable(closing) else closing

    call(stream=True, consume=consume)
    gc.collect()

    assert [ref() for ref in references] == [None] * len(references)
    assert len(telemetry.spans) == 1


def test_closed_client_is_freed(
    instrument: Callable[..., None], client_class: str, deepseek: Simulator
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))

    async def main() -> weakref.ref[Any]:
        client = getattr(openai, client_class)(
            base_url=deepseek.base_url, api_key="none"
        )
        await await_and_read_all(client.chat.completions.create(**CHAT))
        closing = client.close()
        await closing if inspect.isawaitable(closing) else closing
        return weakref.ref(client)

    client_reference = asyncio.run(main())
    gc.collect()
    assert client_reference() is None


@pytest.mark.parametrize(
    "method", ["create", "with_raw_response.create", "with_streaming_response.create"]
)
def test_call_made_while_suppressed_is_never_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))

    async def consume(result: Any) -> None:
        if "streaming" in method:
            entering = result.__aenter__() if hasattr(result, "__aenter__") else None
            result = await entering if entering else result.__enter__()
        if method != "create":
            result = result.parse()
            result = await result if inspect.isawaitable(result) else result
        assert type(result) in (openai.Stream, openai.AsyncStream)
        await await_and_read_all(result)

    with suppress_instrumentation():
        call(method, stream=True, consume=consume)

    assert (telemetry.spans, telemetry.metrics) == ([], {})


def test_stream_started_before_suppression_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))

    async def consume(stream: Any) -> None:
        with suppress_instrumentation():
            await await_and_read_all(stream)

    call(stream=True, consume=consume)

    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
