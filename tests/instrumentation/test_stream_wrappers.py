"""A stream wrapper cannot be distinguished from the SDK's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from .conftest import sample
from .streams import close_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

# Special methods by which programs and the interpreter test what an object supports.
SPECIAL_METHODS = (
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


def test_stream_wrapper_behaves_like_the_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))
    expected = openai.Stream if client_class == "OpenAI" else openai.AsyncStream

    iter_ = iter if client_class == "OpenAI" else aiter

    async def inspect_stream(stream: Any) -> None:
        assert isinstance(stream, expected)
        assert stream.response.status_code == 200
        assert stream.__class__ is expected
        assert dir(stream) == dir(stream._original)
        assert hasattr(stream, "aclose") == hasattr(stream._original, "aclose")
        assert type(iter_(stream)) is type(iter_(stream._original))
        assert repr(stream) == repr(stream._original)
        stream.note = 1
        assert stream._original.note == 1
        del stream.note
        assert not hasattr(stream._original, "note")
        for name in SPECIAL_METHODS:
            assert hasattr(type(stream), name) == hasattr(expected, name), name
        await close_stream(stream)

    call(stream=True, consume=inspect_stream)


def test_stream_is_not_wrapped_if_nothing_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
) -> None:
    instrument(
        tracer_provider=TracerProvider(sampler=ALWAYS_OFF),
        meter_provider=NoOpMeterProvider(),
    )
    deepseek.answer_next(sample("stream_plain.sse"))

    async def inspect_stream(stream: Any) -> None:
        assert (
            type(stream)
            is {
                "OpenAI": openai.Stream,
                "AsyncOpenAI": openai.AsyncStream,
            }[client_class]
        )
        await close_stream(stream)

    call(stream=True, consume=inspect_stream)
