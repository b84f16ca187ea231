"""Tests this package together with opentelemetry-instrumentation-genai-openai.

This package records the calls of DeepSeek and the other one records all others, in
whichever order they were instrumented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.completions import Completions as TextCompletions
from openai.resources.responses import AsyncResponses, Responses
from opentelemetry.instrumentation.utils import suppress_instrumentation

from examples.simulator import RecordedResponse
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .calls import (
    CALLS,
    CHAT,
    DEEPSEEK_SCOPE,
    OPENAI_SCOPE,
    ORDERS,
    SAMPLES,
    call,
    genai_openai,
    instrumentor,
    part_types,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

METHODS: Final = [
    *((o, m) for o in (Completions, AsyncCompletions) for m in ("create", "parse")),
    *(
        (o, m)
        for o in (Responses, AsyncResponses)
        for m in ("create", "parse", "stream", "retrieve")
    ),
    (TextCompletions, "create"),
]


def sdk_methods() -> list[Any]:
    return [vars(owner)[method] for owner, method in METHODS]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize("name", CALLS)
def test_deepseek_call_has_one_span_of_this_package_with_reasoning(
    instrument: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    kind: str,
    order: str,
) -> None:
    instrument(order)
    call(deepseek, name, kind)
    (span,) = telemetry.spans
    assert part_types(span.attributes) == ["reasoning", "text"]
    assert telemetry.take_scopes_and_providers() == [(DEEPSEEK_SCOPE, "deepseek")]


@pytest.mark.parametrize("order", ["openai", *ORDERS])
@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize("name", CALLS)
def test_openai_call_has_one_span_of_the_other_package(
    instrument: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    kind: str,
    order: str,
) -> None:
    instrument(order)
    call(deepseek, name, kind, host="localhost")
    assert telemetry.take_scopes_and_providers() == [(OPENAI_SCOPE, "openai")]


@pytest.mark.parametrize("off", ORDERS)
@pytest.mark.parametrize("on", ORDERS)
def test_uninstrumenting_one_keeps_the_other_and_uninstrumenting_both_restores_the_sdk(
    instrument: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    on: str,
    off: str,
) -> None:
    before = sdk_methods()
    for _ in range(2):
        instrument(on)
        first, last = off.split(", ")
        instrumentor(first).uninstrument()
        for name in ("chat.completions.create", "responses.stream"):
            call(deepseek, name)
            call(deepseek, name, host="localhost")
        expected = {
            "deepseek": [(DEEPSEEK_SCOPE, "deepseek")] * 2,
            "openai": [(OPENAI_SCOPE, "openai")] * 4,
        }
        assert telemetry.take_scopes_and_providers() == expected[last]
        instrumentor(last).uninstrument()
        assert all(a is b for a, b in zip(sdk_methods(), before, strict=True))


def test_uninstrument_restores_the_methods_of_openai_instrumentor(
    instrument: Callable[[str], None],
) -> None:
    owner = genai_openai.OpenAIInstrumentor
    before = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
    for _ in range(3):
        instrument("deepseek")
        after = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
        assert all(a is not b for a, b in zip(after, before, strict=True))
        DeepSeekInstrumentor().uninstrument()
        after = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
        assert all(a is b for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_method_bound_between_the_two_stays_with_the_first(
    instrument: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    order: str,
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    first, last = order.split(", ")
    instrument(first)
    bound_method = client.chat.completions.with_raw_response.create
    instrument(last)
    deepseek.answer_next(RecordedResponse.from_file(SAMPLES / "chat_thinking.json"))
    bound_method(**CHAT)
    # A method bound before this package was instrumented cannot be patched.
    scope = {"deepseek": DEEPSEEK_SCOPE, "openai": OPENAI_SCOPE}[first]
    assert telemetry.take_scopes_and_providers() == [(scope, first)]


@pytest.mark.parametrize("order", ORDERS)
def test_suppress_instrumentation_suppresses_both(
    instrument: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    order: str,
) -> None:
    instrument(order)
    with suppress_instrumentation():
        call(deepseek)
    assert telemetry.take_scopes_and_providers() == []
