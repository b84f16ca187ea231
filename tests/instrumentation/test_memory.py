"""Switched on late, twice, a thousand times; suppressed for a while: nothing stays that
should go, and nothing goes that should stay."""

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
from openai.resources.completions import AsyncCompletions as AsyncTexts
from openai.resources.completions import Completions as Texts
from openai.resources.responses import AsyncResponses, Responses
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .conftest import CHAT, read_out, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

OWNERS = (Completions, AsyncCompletions, Texts, AsyncTexts, Responses, AsyncResponses)


def on_the_classes() -> list[tuple[type, str, Any]]:
    return [(o, name, m) for o in OWNERS for name, m in vars(o).items() if callable(m)]


async def whole(answer: Any) -> Any:
    """`answer`, awaited and read out, whatever kind of client gave it."""
    if inspect.isawaitable(answer):
        answer = await answer
    read = read_out(answer)
    return await read if inspect.isawaitable(read) else read


def test_a_client_in_use_is_seen_from_then_on(
    instrument: Callable[..., None],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    deepseek.answer_next(sample("stream_plain.sse"), times=3)

    async def main() -> None:
        client = getattr(openai, kind)(base_url=deepseek.base_url, api_key="none")
        completions = client.chat.completions
        open_stream = completions.create(**CHAT, stream=True)
        await whole(completions.create(**CHAT, stream=True))
        instrument()
        await whole(completions.create(**CHAT, stream=True))
        await whole(open_stream)  # begun before: nobody's
        closed = client.close()
        await closed if inspect.isawaitable(closed) else closed

    asyncio.run(main())

    assert len(telemetry.spans) == 1
    assert telemetry.span.attributes["gen_ai.usage.input_tokens"] > 0


@pytest.mark.internal_error
def test_switched_on_twice_a_call_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = on_the_classes()
    instrument()
    instrument()
    assert caplog.messages == ["Attempting to instrument while already instrumented"]
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert len(telemetry.spans) == 1

    DeepSeekInstrumentor().uninstrument()
    after = on_the_classes()
    assert all(a[2] is b[2] for a, b in zip(after, before, strict=True))


def test_on_and_off_a_thousand_times_leaves_the_sdk_as_it_was(
    telemetry: Telemetry,
) -> None:
    before = on_the_classes()

    def switch() -> int:
        for _ in range(500):
            DeepSeekInstrumentor().instrument(
                tracer_provider=telemetry.tracer_provider,
                meter_provider=telemetry.meter_provider,
            )
            DeepSeekInstrumentor().uninstrument()
        gc.collect()
        return len(gc.get_objects())

    # Objects, not bytes: CPython's cache of attribute names fills meanwhile.
    assert -switch() + switch() < 50
    after = on_the_classes()
    assert all(a[2] is b[2] for a, b in zip(after, before, strict=True))


def grown(work: Callable[[], object]) -> int:
    """Bytes that `work` keeps each time, once what it warms up is warm.

    Of two times the less: the server's threads may be in the midst of something.
    """
    work()
    return min(_grown(work) for _ in range(2))


def _grown(work: Callable[[], object]) -> int:
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
def test_calls_leave_nothing_behind(
    instrument: Callable[..., None], deepseek: Simulator, stream: bool
) -> None:
    # Unlike the fixture's, these keep no spans.
    meters = MeterProvider(metric_readers=[InMemoryMetricReader()])
    answer = "stream_thinking.sse" if stream else "chat_thinking.json"
    deepseek.answer_next(sample(answer), times=300)

    with openai.OpenAI(base_url=deepseek.base_url, api_key="none") as client:

        def ask() -> None:
            for _ in range(50):
                asked = client.chat.completions.create(**CHAT, stream=stream)
                if stream:
                    list(asked)

        # The server, in this process, remembers what it was asked.
        bare = grown(ask)
        instrument("SPAN_ONLY", tracer_provider=TracerProvider(), meter_provider=meters)
        assert grown(ask) - bare < 16 * 1024


@pytest.mark.parametrize("leave", ["read", "drop", "close"])
def test_what_is_let_go_is_gone(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    leave: str,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse"))
    kept: list[weakref.ref[Any]] = []

    async def used(stream: Any) -> None:
        kept.append(weakref.ref(stream))
        if leave != "drop":
            # A dropped one the bare SDK may keep: on Python 3.11 asyncio cannot close
            # httpx's generators, and logs an error that holds them.
            kept.append(weakref.ref(stream.response))
        if leave == "read":
            await whole(stream)
        else:
            chunk = next(stream) if hasattr(stream, "__next__") else await anext(stream)
            kept.append(weakref.ref(chunk))
            closed = stream.close() if leave == "close" else None
            await closed if inspect.isawaitable(closed) else closed

    call(stream=True, using=used)
    gc.collect()

    assert [ref() for ref in kept] == [None] * len(kept)
    assert len(telemetry.spans) == 1


def test_a_client_is_not_kept(
    instrument: Callable[..., None], kind: str, deepseek: Simulator
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))

    async def main() -> weakref.ref[Any]:
        client = getattr(openai, kind)(base_url=deepseek.base_url, api_key="none")
        await whole(client.chat.completions.create(**CHAT))
        closed = client.close()
        await closed if inspect.isawaitable(closed) else closed
        return weakref.ref(client)

    gone = asyncio.run(main())
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "method", ["create", "with_raw_response.create", "with_streaming_response.create"]
)
def test_a_call_made_while_suppressed_is_never_seen(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))

    async def used(answer: Any) -> None:
        if "streaming" in method:
            entered = answer.__aenter__() if hasattr(answer, "__aenter__") else None
            answer = await entered if entered else answer.__enter__()
        if method != "create":
            answer = answer.parse()
            answer = await answer if inspect.isawaitable(answer) else answer
        assert type(answer) in (openai.Stream, openai.AsyncStream)
        await whole(answer)

    with suppress_instrumentation():
        call(method, stream=True, using=used)

    assert (telemetry.spans, telemetry.metrics) == ([], {})


def test_a_stream_read_while_suppressed_was_seen_before(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))

    async def used(stream: Any) -> None:
        with suppress_instrumentation():
            await whole(stream)

    call(stream=True, using=used)

    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
