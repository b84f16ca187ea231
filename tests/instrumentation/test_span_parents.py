"""Parents and children of the span of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_application_spans_are_no_children_of_an_open_stream(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_plain.sse"))
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def consume(stream: Any) -> None:
        with tracer.start_as_current_span("while open"):
            pass
        if hasattr(stream, "__next__"):
            for _ in stream:
                with tracer.start_as_current_span("between"):
                    pass
        else:
            async for _ in stream:
                with tracer.start_as_current_span("between"):
                    pass

    call(stream=True, consume=consume)

    assert {span.parent for span in telemetry.spans} == {None}


def test_application_span_is_the_parent(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))

    with telemetry.tracer_provider.get_tracer("app").start_as_current_span("agent"):
        call()

    chat, agent = telemetry.spans
    assert chat.parent == agent.context
