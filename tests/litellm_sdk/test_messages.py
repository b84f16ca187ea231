"""`litellm.anthropic_messages`: DeepSeek's endpoint in Anthropic's format."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse
from tests.anthropic_sdk.bodies import encoded
from tests.instrumentation.attributes import START, content

from .conftest import (
    GLOBAL_LOGGING_WORKER,
    KEY,
    MODEL,
    QUESTION,
    litellm,
    sample,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry


@pytest.fixture
def create(deepseek: Simulator) -> Callable[..., Any]:
    def create(*, count: int | None = None, **arguments: Any) -> Any:
        async def run() -> Any:
            try:
                result = await litellm.anthropic.messages.acreate(
                    model=MODEL,
                    api_base=deepseek.base_url,
                    api_key=KEY,
                    max_tokens=100,
                    messages=QUESTION,
                    **arguments,
                )
                if not arguments.get("stream"):
                    return result
                events = []
                async for event in result:
                    events.append(event)
                    if len(events) == count:
                        break
                return events
            finally:
                await GLOBAL_LOGGING_WORKER.flush()

        return asyncio.run(run())

    return create


@pytest.mark.parametrize("content_mode", ["", "SPAN_ONLY"])
@pytest.mark.parametrize("stream", [False, True])
def test_call_has_one_span(
    instrument: Callable[..., None],
    create: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream: bool,
    content_mode: str,
) -> None:
    instrument(content_mode)

    create(stream=stream)

    (exchange,) = deepseek.exchanges
    attributes = telemetry.span.attributes
    assert attributes.items() >= START.items()
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    usage = exchange.usage
    # The format counts cached tokens apart, the conventions as a part of the input.
    assert attributes["gen_ai.usage.input_tokens"] == (
        usage["input_tokens"] + usage["cache_read_input_tokens"]
    )
    assert (
        attributes["gen_ai.usage.cache_read.input_tokens"]
        == (usage["cache_read_input_tokens"])
    )
    assert ("gen_ai.response.time_to_first_chunk" in attributes) == stream
    if content_mode:
        assert content(telemetry, "input.messages")[0]["parts"] == [
            {"type": "text", "content": QUESTION[0]["content"]}
        ]
        (message,) = content(telemetry, "output.messages")
        assert message["parts"][-1]["type"] == "text"
    else:
        assert "strawberry" not in telemetry.span.to_json()


def test_result_is_litellms(
    instrument: Callable[..., None], create: Callable[..., Any], deepseek: Simulator
) -> None:
    deepseek.answer_next(RecordedResponse(body=encoded()), times=2)
    before = create()
    instrument()
    after = create()
    assert type(after) is type(before) is dict
    assert after == before


def test_events_of_an_unknown_form_are_skipped(
    instrument: Callable[..., None],
    create: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    create(stream=True)
    (exchange,) = deepseek.exchanges
    events = b": keep-alive\n\ndata: [DONE]\n\ndata: 7\n\n" + exchange.response_body
    deepseek.answer_next(
        RecordedResponse(body=events, headers={"content-type": "text/event-stream"})
    )
    instrument()
    create(stream=True)
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_closed_stream_ends_its_span(
    instrument: Callable[..., None],
    create: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument()
    create(stream=True, count=3)
    gc.collect()
    assert telemetry.span.status.status_code is StatusCode.UNSET


def test_error_has_one_span(
    instrument: Callable[..., None],
    create: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_401_bad_key.json"))
    with pytest.raises(litellm.AuthenticationError):
        create()
    span = telemetry.span
    assert span.attributes["http.response.status_code"] == 401
    assert span.status.description.startswith("Authentication Fails")
    assert KEY not in span.to_json()


def test_completion_in_anthropics_format_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    call(model="anthropic/deepseek-flash", api_base=deepseek.base_url + "/anthropic")
    attributes = telemetry.span.attributes
    assert attributes.items() >= START.items()
    usage = deepseek.exchanges[0].usage
    assert attributes["gen_ai.usage.output_tokens"] == usage["output_tokens"]
    assert content(telemetry, "input.messages")[0]["role"] == "user"
