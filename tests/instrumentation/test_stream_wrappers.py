"""What the caller is given for a stream is, to them, the SDK's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from .conftest import sample
from .streams import close

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

# By which a program, or the interpreter, tells what can be done with an object.
PROTOCOLS = (
    "__aenter__",
    "__aiter__",
    "__anext__",
    "__await__",
    "__bool__",
    "__call__",
    "__contains__",
    "__enter__",
    "__getitem__",
    "__index__",
    "__iter__",
    "__len__",
    "__next__",
)


def test_a_stand_in_is_what_it_stands_for(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))
    expected = openai.Stream if kind == "OpenAI" else openai.AsyncStream

    iter_ = iter if kind == "OpenAI" else aiter

    async def look(stream: Any) -> None:
        assert isinstance(stream, expected)
        assert stream.response.status_code == 200
        assert stream.__class__ is expected
        assert dir(stream) == dir(stream._original)
        assert hasattr(stream, "aclose") == hasattr(stream._original, "aclose")
        assert type(iter_(stream)) is type(iter_(stream._original))
        assert repr(stream) == repr(stream._original)
        stream.noted = 1
        assert stream._original.noted == 1
        del stream.noted
        assert not hasattr(stream._original, "noted")
        for name in PROTOCOLS:
            assert hasattr(type(stream), name) == hasattr(expected, name), name
        await close(stream)

    call(stream=True, using=look)


def test_a_stream_that_nobody_records_is_the_sdks_own(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
) -> None:
    instrument(
        tracer_provider=TracerProvider(sampler=ALWAYS_OFF),
        meter_provider=NoOpMeterProvider(),
    )
    deepseek.answer_next(sample("stream_plain.sse"))

    async def look(stream: Any) -> None:
        assert (
            type(stream)
            is {
                "OpenAI": openai.Stream,
                "AsyncOpenAI": openai.AsyncStream,
            }[kind]
        )
        await close(stream)

    call(stream=True, using=look)
