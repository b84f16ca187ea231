"""Tool runners: each request of the loop is one call, below the span of the run."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from .bodies import END, EVENTS, START, block_events, encoded
from .conftest import IS_TRACED_BY_SDK, make_client, recorded, recorded_events
from .test_streams import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

pytestmark = pytest.mark.skipif(
    not hasattr(anthropic.resources.beta.messages.Messages, "tool_runner"),
    reason="this version of the SDK has no tool runner",
)
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}
TOOL_USE = {"type": "tool_use", "id": "call_00_a", "name": "get_weather", "input": {}}
ARGUMENTS = '{"city": "Paris"}'
ANSWERS = (
    recorded(
        encoded({**TOOL_USE, "input": json.loads(ARGUMENTS)}, stop_reason="tool_use")
    ),
    recorded(encoded()),
)


async def weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"sunny in {city}"


def weather_now(city: str) -> str:
    """Returns the weather of a city."""
    return f"sunny in {city}"


ANSWERS_IN_EVENTS = (
    recorded_events(
        [
            START,
            *block_events(
                0, TOOL_USE, {"type": "input_json_delta", "partial_json": ARGUMENTS}
            ),
            {**END[0], "delta": {"stop_reason": "tool_use"}},
            END[1],
        ]
    ),
    recorded_events(EVENTS),
)


def tool(client_class: str) -> Any:
    if client_class == "Anthropic":
        return anthropic.beta_tool(weather_now, name="get_weather")
    return anthropic.beta_async_tool(weather, name="get_weather")


async def next_answer(runner: Any) -> Any:
    if hasattr(runner, "__anext__"):
        return await anext(runner, None)
    return next(runner, None)


@pytest.mark.parametrize("stream", [False, True])
def test_each_request_of_a_tool_runner_has_one_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    client_class: str,
    stream: bool,
) -> None:
    instrument()
    # Recorded, because the newest SDK sends only the new messages of a thread.
    for answer in ANSWERS_IN_EVENTS if stream else ANSWERS:
        deepseek.answer_next(answer)

    async def run() -> None:
        client: Any = make_client(client_class, deepseek.base_url, telemetry)
        async with client if client_class.startswith("Async") else nullcontext():
            runner = client.beta.messages.tool_runner(
                model="deepseek-flash",
                max_tokens=500,
                messages=[QUESTION],
                tools=[tool(client_class)],
                stream=stream,
            )
            while (answer := await next_answer(runner)) is not None:
                assert not stream or await read(answer)
        if hasattr(client, "__exit__"):
            client.close()

    asyncio.run(run())

    chats = [span for span in telemetry.spans if span.name.startswith("chat")]
    assert len(deepseek.exchanges) == len(chats) == 2
    first, second = [
        span.attributes["gen_ai.response.finish_reasons"] for span in chats
    ]
    assert (first, second) == (("tool_calls",), ("stop",))
    others = sorted(span.name for span in telemetry.spans if span not in chats)
    if IS_TRACED_BY_SDK:
        assert "anthropic.messages.create" not in others
        assert "anthropic.messages.tool_runner" in others
